"""The pure core: batches and the passing of time in, effects out."""
