"""The demo: the main job on this machine, from the first deployment to the last message, with a table of what held."""
