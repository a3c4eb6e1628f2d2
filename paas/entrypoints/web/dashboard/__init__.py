"""The dashboard: pages for people, made here, of the operations of the gate."""
