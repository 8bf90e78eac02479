package jacquard.clip.text.hub;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A part of a JSON file, read with errors that name the file and the place.
record Fields(Path file, String at, JsonNode node) {
  IOException wrong(String what) { return new IOException(file + ": " + (at.isEmpty() ? "" : at + ": ") + what); }

  /// A part; missing parts are null nodes.
  Fields part(String name) { return new Fields(file, at.isEmpty() ? name : at + "." + name, node.path(name)); }

  boolean absent() { return node.isMissingNode() || node.isNull(); }

  String type() throws IOException { return part("type").text(); }

  String text() throws IOException {
    if (!node.isTextual()) throw wrong("is " + brief() + ", expected a text");
    return node.textValue();
  }

  String text(String otherwise) throws IOException { return absent() ? otherwise : text(); }

  boolean is(String name, boolean otherwise) throws IOException {
    var n = node.path(name);
    if (n.isMissingNode() || n.isNull()) return otherwise;
    if (!n.isBoolean()) throw part(name).wrong("is " + part(name).brief() + ", expected true or false");
    return n.booleanValue();
  }

  int number(int least, int most) throws IOException {
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < least || node.intValue() > most)
      throw wrong("is " + brief() + ", expected a whole number from " + least + " to " + most);
    return node.intValue();
  }

  List<Fields> list() throws IOException {
    if (!node.isArray()) throw wrong("is " + brief() + ", expected a list");
    var r = new ArrayList<Fields>(node.size());
    for (int i = 0; i < node.size(); i++) r.add(new Fields(file, at + "[" + i + "]", node.get(i)));
    return r;
  }

  private String brief() {
    var s = node.isMissingNode() ? "missing" : node.toString();
    return s.length() > 80 ? s.substring(0, 80) + "…" : s;
  }

  /// How an unknown kind is refused.
  IOException unknown(String what, String known) throws IOException {
    return wrong("the " + what + " \"" + type() + "\" is not known; known are " + known);
  }
}
