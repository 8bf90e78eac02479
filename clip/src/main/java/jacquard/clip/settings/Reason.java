package jacquard.clip.settings;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/// Why something failed, in words: Java's own exceptions of files say no more than the path, and some say nothing.
public final class Reason {
  private Reason() {}

  public static String of(Throwable e) {
    return switch (e) {
      // what it says itself, unless that is the cause's name and words
      case UncheckedIOException u -> String.valueOf(u.getMessage()).equals(u.getCause().toString()) ? of(u.getCause())
          : u.getMessage() + ": " + of(u.getCause());
      case NoSuchFileException f -> file(f, "no such file or folder");
      case AccessDeniedException f -> file(f, "permission denied");
      case FileAlreadyExistsException f -> file(f, "exists already");
      case NotDirectoryException f -> file(f, "is no folder");
      case DirectoryNotEmptyException f -> file(f, "the folder is not empty");
      case FileSystemLoopException f -> file(f, "the folder contains itself through a link");
      case FileSystemException f when f.getReason() != null -> file(f, first(f.getReason()));
      // of the JDK's client, which says no more than that a channel is closed
      case ConnectException c when c.getMessage() == null && !(c.getCause() instanceof UnresolvedAddressException) ->
          "nobody answers there; is there a network, or a proxy to go through?";
      case UnresolvedAddressException _ -> "its name cannot be resolved; is there a network?";
      case InvalidPathException p when unlikeUtf8() ->
          p.getInput() + ": this Java cannot name the file, since its locale is not UTF-8; set LC_ALL=C.UTF-8";
      default -> {
        var message = e.getMessage();
        if (message != null && message.equals("No space left on device"))
          yield "the disk is full: make room, or write into another folder";
        if (message != null && !message.isBlank()) yield message;
        yield e.getCause() != null && e.getCause() != e ? of(e.getCause())
            : (e instanceof IOException ? "reading or writing failed" : "failed") + " (" + e.getClass().getName() + ")";
      }
    };
  }

  /// Whether this Java takes names of files and arguments for something else than UTF-8.
  public static boolean unlikeUtf8() {
    return !System.getProperty("sun.jnu.encoding", "UTF-8").equalsIgnoreCase("UTF-8");
  }

  private static String file(FileSystemException e, String why) { return e.getFile() + ": " + why; }

  private static String first(String reason) { return Character.toLowerCase(reason.charAt(0)) + reason.substring(1); }
}
