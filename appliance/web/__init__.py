"""Every route of the appliance."""
