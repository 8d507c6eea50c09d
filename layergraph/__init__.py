"""LayerGraph compiles neural-network architectures from YAML to PyTorch, diagrams and summaries."""

__version__ = "0.1.0"
