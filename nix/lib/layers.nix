{ attrs, lock, ... }:
let
  inherit (builtins) filter length map;

  shared = [ "base" "libc" "crypto" ];

  debianLayer = locks: name: {
    title = name;
    packages = lock.groupOf locks.debian "layer.${name}";
  };

  firstSet = image: builtins.head image.python;

  ownPackages = locks: image:
    if image.debian == [ ] then [ ] else lock.groupOf locks.debian "image.${image.role}";

  wheelLayers = { locks, heavyBytes, image }:
    let
      first = lock.wheelsOf locks.python [ (firstSet image) ];
      more = attrs.subtract (lock.wheelsOf locks.python image.python) first;
      heavy = filter (wheel: wheel.size >= heavyBytes) first;
      light = filter (wheel: wheel.size < heavyBytes) first;
    in
    [ { title = "wheels-heavy"; wheels = heavy; }
      { title = "wheels"; wheels = light; }
      # A Python role's own packages lie here too: they move as seldom as these wheels do.
      { title = "wheels-more"; wheels = more; packages = ownPackages locks image; } ];

  hasContent = layer:
    (layer.packages or [ ]) != [ ] || (layer.wheels or [ ]) != [ ] || layer ? kind;
in
{
  /**
    The layers of one image, bottom first, each a description of what goes in.

    The order is fixed, so that roles share the longest possible chain: base, libc, crypto, python,
    heavy wheels, other wheels, wheels of further sets, application; for roles without Python the
    role's own packages, our programs and files. A bare image has none that are shared. No image gets more than eight.

    # Type
    plan :: { locks, heavyBytes, image } -> [{ title, packages?, wheels?, kind? }]
  */
  plan =
    { # The locks, by file: `{ debian, python }`.
      locks
    , # Wheels from this size on have a layer of their own.
      heavyBytes
    , # The role's table in slipway.toml, with every default filled in.
      image
    }:
    let
      isPython = image.python != [ ];
      own = { title = "packages"; packages = if isPython then [ ] else ownPackages locks image; };
      python = if !isPython then [ ] else
        [ (debianLayer locks "python" // { kind = "python"; }) ]
        ++ wheelLayers { inherit locks heavyBytes image; };
      top = if isPython then [ { title = "application"; kind = "application"; } ] else [ ];
      programs = if image.programs == [ ] then [ ] else [ { title = "programs"; kind = "programs"; } ];
      files = if image.files == { } then [ ] else [ { title = "files"; kind = "files"; } ];
      base = if image.bare then [ ] else
        map (name: debianLayer locks name // (if name == "base" then { kind = "base"; } else { })) shared;
      all = filter hasContent (base ++ python ++ [ own ] ++ programs ++ top ++ files);
    in
    if length all > 8
    then throw "layers.plan: ${image.role} would have ${toString (length all)} layers, eight at the most; give it fewer Python sets or no own packages"
    else all;
}
