"""The web process: what people reach over HTTP. It has no rights, and asks the gate for all."""
