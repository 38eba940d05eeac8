"""Tests of who answers: the appliance, or a person."""
