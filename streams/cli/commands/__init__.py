"""One module a command or group of commands; `streams.cli.main` imports the one that is asked for."""
