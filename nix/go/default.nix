/** Programs built from locked Go modules, inside the sandbox, with the locked Go. */
{ stage0, goLock, source }:
let
  toolchain = stage0.input { name = "go-toolchain"; sha256 = goLock.toolchain_sha256; recursive = true; };

  vendor = stage0.input { name = "go-vendor"; sha256 = goLock.vendor_sha256; recursive = true; };

  modules = builtins.path {
    name = "go-modules";
    path = source;
    filter = path: type: builtins.elem (baseNameOf path) [ "go.mod" "go.sum" ];
  };

  build = { name, package, own ? "", version ? "" }: stage0.run {
    inherit name;
    script = ./build.sh;
    inputs = { inherit toolchain vendor modules package own version; };
    sealed = true;
  };

  /**
    A program whose source lies in the folder of its name, as a module of that name. Its version is
    Go's form of one without a tag, with a hash of the source where a commit's would stand: scanners
    take a program without a version for one of any.
  */
  ours = name:
    let
      isGo = file: builtins.match ".*[.]go" file != null;
      files = builtins.filter isGo (builtins.attrNames (builtins.readDir (source + "/${name}")));
      sums = map (file: "${file} ${builtins.hashFile "sha256" (source + "/${name}/${file}")}") files;
      hash = builtins.hashString "sha256" (builtins.concatStringsSep "\n" sums);
    in
    build {
      inherit name;
      package = "slipway.local/${name}";
      version = "v0.0.0-19700101000000-${builtins.substring 0 12 hash}";
      own = builtins.path {
        name = "${name}-source";
        path = source + "/${name}";
        filter = path: type: isGo path;
      };
    };
in
{
  /** Lays out image layers. */
  nix2container = build { name = "nix2container"; package = "github.com/nlewo/nix2container"; };

  /** Checks GitHub workflows. */
  actionlint = build { name = "actionlint"; package = "github.com/rhysd/actionlint/cmd/actionlint"; };

  /** The health probe that is in every image. */
  probe = ours "probe";

  /** Makes Redis's access list out of secrets. */
  acl = ours "acl";

  /** Owns the ports, and lends sockets for them to those that serve there. */
  door = ours "door";

  /** Starts the edge with borrowed sockets, and hands it certificates. */
  edge = ours "edge";

  /** Keeps a certificate for the edge. */
  certificate = ours "certificate";

  /** Says what Compose files mean, by Compose's own library. */
  compose-model = ours "compose-model";
}
