"""Tables of rows, wherever they lie: arrays, tensors and parts, passes over rows, moments and small algebra."""
