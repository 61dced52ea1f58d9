"""What all training shares: batches, optimizer, the loop, checkpoints."""
