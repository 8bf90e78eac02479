package jacquard.clip.text.sentence;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import jacquard.clip.settings.FirstBytes;
import jacquard.clip.settings.Presence;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A SentencePiece model as its file holds it (protobuf, `ModelProto`).
///
/// @param map the precompiled map of characters; empty for none
/// @param bytes unknown characters become their bytes
public record SentencePieceFile(List<Piece> pieces, Kind kind, boolean bytes, boolean spaceBehind, byte[] map,
    boolean spaceBefore, boolean oneSpace, boolean marks) {
  private static final long MOST = 256L << 20;

  /// By which a model cuts words; `NONE` where the file says nothing of it.
  public enum Kind { NONE, UNIGRAM, BPE, WORD, CHAR }

  /// What a piece is for; `NONE` where the file says nothing of it.
  public enum Type { NONE, NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE }

  /// A piece of the vocabulary; its id is its place.
  public record Piece(String text, float score, Type type) {}

  public static SentencePieceFile read(Path file) throws IOException {
    Presence.file(file, "a SentencePiece model");
    if (Files.size(file) > MOST)
      throw new IOException(file + " holds " + Files.size(file) + " bytes, expected a SentencePiece model of at most "
          + MOST);
    FirstBytes.refuse(file);
    byte[] all = Files.readAllBytes(file);
    try {
      var r = new Reader();
      r.model(CodedInputStream.newInstance(all));
      if (r.pieces.isEmpty()) throw new IOException("no pieces");
      return new SentencePieceFile(r.pieces, r.kind, r.bytes, r.spaceBehind, r.map, r.spaceBefore, r.oneSpace, r.marks);
    } catch (IOException e) { throw new IOException(file + " is no SentencePiece model: " + e.getMessage(), e); }
  }

  /// The fields that count, with the format's defaults; others are passed over.
  private static final class Reader {
    private final List<Piece> pieces = new ArrayList<>();
    private Kind kind = Kind.UNIGRAM;
    private boolean bytes, spaceBehind, spaceBefore = true, oneSpace = true, marks = true;
    private byte[] map = {};

    private interface Field { boolean read(int number, CodedInputStream in) throws IOException; }

    private static void message(CodedInputStream in, Field field) throws IOException {
      for (int tag; (tag = in.readTag()) != 0;) if (!field.read(tag, in)) in.skipField(tag);
    }

    private static void inner(CodedInputStream in, Field field) throws IOException {
      int limit = in.pushLimit(in.readRawVarint32());
      message(in, field);
      in.popLimit(limit);
    }

    private static int bytesTag(int field) { return field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED; }

    private static int numberTag(int field) { return field << 3 | WireFormat.WIRETYPE_VARINT; }

    private void model(CodedInputStream in) throws IOException {
      message(in, (tag, i) -> {
        if (tag == bytesTag(1)) piece(i);
        else if (tag == bytesTag(2)) inner(i, this::trainer);
        else if (tag == bytesTag(3)) inner(i, this::normalizer);
        else return false;
        return true;
      });
    }

    private void piece(CodedInputStream in) throws IOException {
      var text = new String[1];
      var score = new float[1];
      var type = new Type[] {Type.NORMAL};
      inner(in, (tag, i) -> {
        if (tag == bytesTag(1)) text[0] = new String(i.readByteArray(), StandardCharsets.UTF_8);
        else if (tag == (2 << 3 | WireFormat.WIRETYPE_FIXED32)) score[0] = i.readFloat();
        else if (tag == numberTag(3)) type[0] = named(Type.values(), i.readEnum(), "type of piece");
        else return false;
        return true;
      });
      if (text[0] == null || text[0].isEmpty()) throw new IOException("the piece " + pieces.size() + " is empty");
      pieces.add(new Piece(text[0], score[0], type[0]));
    }

    private static <E> E named(E[] values, int number, String what) throws IOException {
      if (number < 1 || number >= values.length) throw new IOException("the " + what + " " + number + " is not known");
      return values[number];
    }

    private boolean trainer(int tag, CodedInputStream in) throws IOException {
      if (tag == numberTag(3)) kind = named(Kind.values(), in.readEnum(), "kind of model");
      else if (tag == numberTag(24)) spaceBehind = in.readBool();
      else if (tag == numberTag(35)) bytes = in.readBool();
      else return false;
      return true;
    }

    private boolean normalizer(int tag, CodedInputStream in) throws IOException {
      if (tag == bytesTag(2)) map = in.readByteArray();
      else if (tag == numberTag(3)) spaceBefore = in.readBool();
      else if (tag == numberTag(4)) oneSpace = in.readBool();
      else if (tag == numberTag(5)) marks = in.readBool();
      else return false;
      return true;
    }
  }
}
