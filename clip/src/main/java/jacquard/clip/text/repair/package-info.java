/// Text that was damaged on its way, repaired as ftfy 6.3.1 does it (Robyn Speer, Apache-2.0): OpenCLIP repairs every
/// caption before its words are cut, and some words of CLIP's own vocabulary look damaged, so that ids agree only where
/// the repair does.
///
/// ```
/// Repair          a text, line by line, until a line no longer changes
///   Entities      &eacute;            → é
///   Mojibake      sÃ³                  → só     where Badness finds a pair that no language writes:
///     SloppyEncoding                           which encoding misread these bytes,
///     LossyBytes                               what became of bytes that got lost,
///     Utf8Variants                             and what they say as UTF-8
///   Characters    ligatures, widths, quotes, line breaks, surrogates, controls
///   Composed      normal form C
/// ```
package jacquard.clip.text.repair;
