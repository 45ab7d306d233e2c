{ attrs, ... }:
{
  /**
    A role's table of slipway.toml with every default filled in.

    # Type
    withDefaults :: String -> AttrSet -> AttrSet

    # Example
    (withDefaults "edge" { entrypoint = [ "/usr/sbin/haproxy" ]; }).user => "568:568"
  */
  withDefaults = role: image: {
    inherit role;
    debian = image.debian or [ ];
    python = image.python or [ ];
    exclude = image.exclude or [ ];
    programs = image.programs or [ ];
    files = image.files or { };
    bare = image.bare or false;
    entrypoint = image.entrypoint or (throw "oci.withDefaults: image.${role} has no entrypoint in slipway.toml");
    command = image.command or [ ];
    environment = image.environment or { };
    user = image.user or "568:568";
    port = image.port or 0;
  };

  /**
    The `config` part of an OCI image configuration (OCI image specification 1.1, config.md).

    # Type
    imageConfig :: { application, image } -> AttrSet
  */
  imageConfig =
    { # `[application]` of slipway.toml.
      application
    , # The role's table with defaults.
      image
    }:
    let
      isPython = image.python != [ ];
      environment = {
        PATH = "${if isPython then "/app/bin:" else ""}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        LANG = "C.UTF-8";
      }
      // (if image.bare then { } else { SSL_CERT_FILE = "/etc/ssl/certs/ca-certificates.crt"; })
      // (if isPython then { PYTHONDONTWRITEBYTECODE = "1"; PYTHONUNBUFFERED = "1"; } else { })
      // image.environment;
    in
    {
      User = image.user;
      Env = attrs.mapAttrsToList (name: value: "${name}=${value}") environment;
      Entrypoint = image.entrypoint;
      WorkingDir = "/";
      Labels = {
        "org.opencontainers.image.title" = "${application.title or application.name} ${image.role}";
        "org.opencontainers.image.description" = application.description or "";
        "io.slipway.application" = application.name;
        "io.slipway.role" = image.role;
      }
      // (if image.bare then { } else { "org.opencontainers.image.base.name" = "debian:trixie"; });
    }
    // (if image.command == [ ] then { } else { Cmd = image.command; })
    // (if image.port == 0 then { } else { ExposedPorts = { "${toString image.port}/tcp" = { }; }; });
}
