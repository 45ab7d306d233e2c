{
  description = "LangFlix: minimal images without a Dockerfile, live on a home or office server";

  outputs = { self }: import ./nix { root = ./.; };
}
