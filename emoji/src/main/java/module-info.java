/// Emoji by many artists: 32×32 drawings with their English names.
module jacquard.emoji {
  requires transitive java.desktop;
  exports jacquard.emoji;
}
