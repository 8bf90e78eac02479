package jacquard.clip.eval.sets;

import java.util.List;
import java.util.SequencedMap;

/// What is right of the pictures of a test set.
public sealed interface Truth {
  /// One class a picture.
  ///
  /// @param groups of pictures, by what they are groups of (`region`, say); of each picture a number
  record Labels(int[] of, SequencedMap<String, int[]> groups) implements Truth {}

  /// Any number of classes a picture. `[pictures][classes]`
  record Several(boolean[][] of) implements Truth {}

  /// The captions of each picture.
  record Captions(List<List<String>> of) implements Truth {}

  /// Few pictures beside few captions: the caption of a number belongs to the picture of that number, captions beyond
  /// the pictures belong to none.
  ///
  /// @param groups of each choice a name, over which the mean is taken; or empty
  record Choices(List<Choice> of, List<String> groups) implements Truth {}

  /// @param pictures by number
  record Choice(int[] pictures, List<String> captions) {}

  /// A text and pictures, some of which belong to it.
  record Associations(List<Association> of) implements Truth {}

  record Association(String text, int[] pictures, boolean[] right) {}
}
