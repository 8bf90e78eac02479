package jacquard.clip.eval.sets;

import java.util.List;
import java.util.SequencedMap;

/// What is right of the pictures of a test set.
public sealed interface Truth {
  /// One class a picture.
  ///
  /// @param groups of pictures, by what they are groups of (`region`, say)
  record Labels(int[] of, SequencedMap<String, Grouping> groups) implements Truth {}

  /// @param of    of each picture the number of its group
  /// @param names of the groups; empty where they have but numbers
  record Grouping(int[] of, List<String> names) {
    public String name(int group) { return group >= 0 && group < names.size() ? names.get(group)
        : Integer.toString(group); }
  }

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

  /// `right` says of each picture whether it belongs to the text.
  record Association(String text, int[] pictures, boolean[] right) {}
}
