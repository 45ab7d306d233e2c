{ lib, ... }:
{
  parse = {
    testPlain = { expr = lib.toml.parse "a = 1"; expected = { a = 1; }; };
    testByteOrderMark = {
      expr = lib.toml.parse (builtins.fromJSON "\"\\ufeffa = 1\"");
      expected = { a = 1; };
    };
    testEmpty = { expr = lib.toml.parse ""; expected = { }; };
  };
}
