{ lib, ... }:
let
  application = { name = "langflix"; title = "LangFlix"; };
in
{
  withDefaults = {
    testUser = {
      expr = (lib.oci.withDefaults "edge" { entrypoint = [ "/usr/sbin/haproxy" ]; }).user;
      expected = "568:568";
    };
    testNoEntrypoint = {
      expr = (lib.oci.withDefaults "edge" { }).entrypoint;
      expectedError = "image.edge has no entrypoint in slipway.toml";
    };
  };

  imageConfig.testPythonRole = {
    expr = lib.oci.imageConfig {
      inherit application;
      image = lib.oci.withDefaults "api" {
        entrypoint = [ "/app/bin/python3" ];
        command = [ "api" ];
        python = [ "app" ];
        port = 8000;
        environment = { LANG = "ko_KR.UTF-8"; };
      };
    };
    expected = {
      User = "568:568";
      Env = [
        "LANG=ko_KR.UTF-8"
        "PATH=/app/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        "PYTHONDONTWRITEBYTECODE=1"
        "PYTHONUNBUFFERED=1"
        "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
      ];
      Entrypoint = [ "/app/bin/python3" ];
      Cmd = [ "api" ];
      ExposedPorts = { "8000/tcp" = { }; };
      WorkingDir = "/";
      Labels = {
        "org.opencontainers.image.title" = "LangFlix api";
        "org.opencontainers.image.description" = "";
        "org.opencontainers.image.base.name" = "debian:trixie";
        "io.slipway.application" = "langflix";
        "io.slipway.role" = "api";
      };
    };
  };
}
