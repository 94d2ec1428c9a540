"""What DeepCap costs, measured on this machine: ``python -m benchmarks [--quick] [names ...]`` writes BENCHMARKS.md."""
