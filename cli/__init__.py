"""The `warden` command: one module a command. stdout is data, stderr is for people; exit 0 done, 1 failed."""
