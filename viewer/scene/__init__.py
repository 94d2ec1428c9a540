"""What the viewer draws, as plain values for JSON: a study, its images and how their grey values are shown."""
