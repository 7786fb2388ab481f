"""Training: the state, the step, the devices it is mapped over, and the loop."""
