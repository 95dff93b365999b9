"""How each chat product wants a notice: a module for each, with a pure `render(notice)` and the `HOSTS` it posts to."""
