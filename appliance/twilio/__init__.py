"""The vendor's wire: webhooks in, REST calls out, its codes and its log."""
