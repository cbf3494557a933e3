"""From vectors to a store and back: export, check, apply a map, align two trainings, preview and calibrate."""
