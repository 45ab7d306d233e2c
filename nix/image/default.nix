/** Layers and images: trees in, nix2container's JSON out. */
{ lib, stage0, debian, python, go, config, locks, sourceOf }:
let
  inherit (builtins) attrNames filter map toJSON;

  # -- layer trees ------------------------------------------------------------------------------

  baseFiles = stage0.run {
    name = "base-files-of-ours";
    script = ./base.sh;
    inputs = {
      certificates = debian.unpack locks.debian.packages.ca-certificates;
      probe = go.probe;
      files = builtins.path { name = "base-files"; path = ./base; };
    };
    sealed = true;
  };

  pythonFiles = trees: python.run {
    name = "python-files-of-ours";
    script = ./stdlib.py;
    inputs = { trees = toString trees; };
    sealed = true;
  };

  # A folder that a role does without changes nothing of it: each role's source is taken by itself.
  applicationOf = image: python.run {
    name = "layer-application";
    script = ./application.py;
    inputs = {
      inherit (python) site;
      package = baseNameOf config.application.source;
      source = sourceOf "application-source" config.application.source
        ((config.application.exclude or [ ]) ++ image.exclude);
    };
    sealed = true;
  };

  programsOf = image: stage0.run {
    name = "layer-programs";
    script = ./programs.sh;
    inputs = { programs = map (name: go.${name}) image.programs; };
    sealed = true;
  };

  filesOf = image: stage0.run {
    name = "layer-files";
    script = ./files.sh;
    inputs = {
      targets = attrNames image.files;
      sources = map
        (target: sourceOf "files-source" image.files.${target} [ ])
        (attrNames image.files);
    };
    sealed = true;
  };

  treesOf = image: layer:
    let
      packages = map debian.unpack (layer.packages or [ ]);
      wheels = map python.install (layer.wheels or [ ]);
      kind = layer.kind or "";
    in
    packages ++ wheels
    ++ (if kind == "base" then [ baseFiles ]
    else if kind == "python" then [ (pythonFiles packages) ]
    else [ ]);

  # -- layers -----------------------------------------------------------------------------------

  # nix2container 1.0.0 compares the sizes of folders that several store paths of a layer share,
  # which no file system promises, so a layer is one tree: ours as it is, others merged.
  layerTree = image: layer:
    let kind = layer.kind or "";
    in
    if kind == "application" then applicationOf image
    else if kind == "programs" then programsOf image
    else if kind == "files" then filesOf image
    else debian.merge "layer-${layer.title}" (treesOf image layer);

  layerJson = tree: stage0.run {
    name = "${tree.name}.json";
    script = ./layer.sh;
    inputs = {
      inherit (go) nix2container;
      inherit tree;
      perms = toJSON [ { path = "${tree}"; regex = "^${tree}/(var/)?tmp$"; mode = "1777"; } ];
      rewrites = toJSON [ { path = "${tree}"; regex = "^${tree}"; repl = ""; } ];
      graph = toJSON [ { path = "${tree}"; references = [ ]; } ];
    };
  };

  # -- images -----------------------------------------------------------------------------------

  imageOf = role: table:
    let
      image = lib.oci.withDefaults role table;
      plan = lib.layers.plan {
        inherit locks image;
        heavyBytes = config.python.heavy_bytes;
      };
      checked = map (layerTree image) (filter (layer: (layer.kind or "") != "application") plan);
    in
    rec {
      layers = map
        (layer: rec { inherit (layer) title; tree = layerTree image layer; json = layerJson tree; })
        plan;

      elf = python.run {
        name = "elf-${role}.json";
        script = ./elf_check.py;
        inputs = {
          trees = toString checked;
          elf = ../../src/slipway/supply/elf.py;
        };
      };
      json = stage0.run {
        name = "${role}-image.json";
        script = ./image.sh;
        inputs = {
          inherit (go) nix2container;
          inherit elf;
          layers = map (layer: layer.json) layers;
          imageConfig = toJSON (lib.oci.imageConfig { inherit (config) application; inherit image; });
        };
      };
    };
in
{
  /** By role: the image's JSON, its layer trees and its ELF report. */
  images = builtins.mapAttrs imageOf config.image;
}
