package jacquard.clip.hub;

import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.FileChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Hugging Face's hub. A file that is asked for lies in the cache afterwards, or there is an error that says why not.
public final class Hub {
  /// Within this process; between processes a file's lock does.
  private static final Map<Path, Object> LOCKS = new ConcurrentHashMap<>();

  private final Environment environment;
  private final Cache cache;
  private final Transfer transfer;

  public Hub(Environment environment) {
    this.environment = environment;
    this.cache = new Cache(environment.cache(), environment.links());
    this.transfer = new Transfer(environment);
  }

  public static Hub current() { return new Hub(Environment.current()); }

  /// A file of a repository, on disk. Of a branch or a tag the hub is asked whether it has changed; where nobody
  /// answers, what the cache has is taken.
  ///
  /// @throws IOException saying what the hub answered and what to do
  public Path file(Repository r, String name) throws IOException {
    return find(r, name).orElseThrow(() -> missing(r, name));
  }

  /// That a repository has not what was looked for; offline, that the cache has not.
  IOException missing(Repository r, String what) {
    return new IOException(environment.offline() ? "the cache " + environment.cache() + " has no " + what + " of " + r
        + ", and HF_HUB_OFFLINE is set: nothing is downloaded" : r + " has no " + what);
  }

  /// The same; empty if the repository has no such file, or, offline, if the cache has not.
  public Optional<Path> find(Repository r, String name) throws IOException {
    var cached = cache.find(r, name);
    if (environment.offline() || cached != null && Repository.commit(r.revision())) return Optional.ofNullable(cached);
    try { return Optional.of(fetched(r, name)); }
    catch (Transfer.Refusal e) {
      if (e.status == 404 && e.code.equals("EntryNotFound")) {
        cache.absent(r, e.commit, name);
        return Optional.empty();
      }
      if (e.passing() && cached != null) return Optional.of(cached);
      throw new IOException(refused(r, name, e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + name + " of " + r + " was downloaded", e);
    } catch (IOException e) {
      if (!unreachable(e)) throw e;
      if (cached != null) return Optional.of(cached);
      if (cache.absent(r, name)) return Optional.empty();
      throw new IOException("the hub " + environment.endpoint() + " cannot be reached (" + Reason.of(e)
          + "), and the cache " + environment.cache() + " has no " + name + " of " + r
          + "; download it where there is a network, and give the folder that you put the files into", e);
    }
  }

  /// What the cache has of a file; no request is made.
  public Optional<Path> cached(Repository r, String name) throws IOException {
    return Optional.ofNullable(cache.find(r, name));
  }

  private Path fetched(Repository r, String name) throws IOException, InterruptedException {
    var head = transfer.head(URI.create(environment.endpoint() + r.path(name)));
    var file = cache.at(r, head.commit(), name);
    if (!Files.isRegularFile(file)) {
      var blob = cache.blob(r, head.etag());
      cache.folder(blob.getParent());
      cache.folder(file.getParent());
      var lock = cache.lock(r, head.etag());
      cache.folder(lock.getParent());
      synchronized (LOCKS.computeIfAbsent(lock.toAbsolutePath(), _ -> new Object())) {
        try (var channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            var _ = channel.lock()) {
          if (!Files.isRegularFile(file)) {
            if (!Files.isRegularFile(blob)) transfer.fetch(head, blob, name + " of " + r);
            cache.link(blob, file);
          }
        }
      }
    }
    cache.note(r, head.commit());
    return file;
  }

  /// Whether nobody answered at all.
  static boolean unreachable(Throwable e) {
    for (int depth = 0; e != null && depth < 10; e = e.getCause(), depth++)
      if (e instanceof ConnectException || e instanceof UnknownHostException || e instanceof UnresolvedAddressException
          || e instanceof HttpConnectTimeoutException || e instanceof HttpTimeoutException)
        return true;
    return false;
  }

  private String refused(Repository r, String name, Transfer.Refusal e) {
    var token = environment.token() == null ? "set HF_TOKEN to a token that may read it"
        : "the token that is set may not read it";
    var what = "the hub refuses " + name + " of " + r + ": ";
    var said = e.said.isEmpty() ? "" : " (" + e.said.substring(0, Math.min(200, e.said.length())) + ")";
    if (e.code.equals("RevisionNotFound")) return what + "there is no revision " + r.revision() + said;
    if (e.code.equals("GatedRepo"))
      return what + "its owner grants access on request; ask for it at " + environment.endpoint() + "/" + r.name()
          + ", then " + token + said;
    return what + switch (e.status) {
      case 401 -> "there is no such repository, or it is private; " + token + said;
      case 403 -> "access is not granted; " + token + said;
      case 404 -> "there is no such repository" + said;
      case 429 -> "too many requests; try again " + (e.wait >= 0 ? "in " + e.wait + " seconds" : "later")
          + (environment.token() == null ? ", or set HF_TOKEN, which may ask more often" : "") + said;
      default -> "it answers " + e.status + (e.status >= 500 ? ", a fault of its own; try again later" : "") + said;
    };
  }
}
