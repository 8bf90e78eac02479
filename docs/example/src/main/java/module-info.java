/// A program that embeds Jacquard.
module example {
  requires jacquard.clip;
}
