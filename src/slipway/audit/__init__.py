"""What is known against what the locks and images hold."""
