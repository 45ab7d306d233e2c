"""What LangFlix knows: subtitles, expressions, lessons.  Pure: no file, clock or network."""
