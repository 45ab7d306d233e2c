"""HTTP: what a browser or a script asks LangFlix."""
