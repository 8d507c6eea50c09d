"""LayerGraph's runtime: loads, verifies, trains and runs compiled networks."""
