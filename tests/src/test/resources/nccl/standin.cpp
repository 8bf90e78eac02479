// libnccl.so.2: a stand-in for the part of NCCL that we call, for ranks that are threads or processes of one machine and whose "device memory" is that of the
// host, as under the CUDA emulation. All exchanges are sends and receives through mailboxes in shared memory, done by a thread a communicator; calls return at
// once with "in progress" (not blocking), as NCCL's do. Its own sums are taken from the last rank to the first, so that they differ from ours.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORTED extern "C" __attribute__((visibility("default")))
enum Result { OK = 0, CUDA = 1, SYSTEM = 2, INTERNAL = 3, ARGUMENT = 4, USAGE = 5, REMOTE = 6, PROGRESS = 7 };
constexpr int RANKS = 8, BOX = 1 << 16;
struct Id { char name[128]; };
struct Config { size_t size; unsigned magic, version; int blocking; };
struct Box { std::atomic<int> bytes; char data[BOX]; };                    // bytes: -1 empty
struct Shared { std::atomic<int> come, boxes, lost; Box box[RANKS][RANKS]; };  // from, to
struct Step { bool send; int peer; char* at; size_t left; bool begun; };
typedef std::function<void()> Then;
struct Job { std::vector<Step> steps; Then then; };
struct Comm {
  Shared* shared; int rank, size; char name[128];
  std::thread worker; std::mutex mutex; std::condition_variable more; std::deque<Job> jobs;
  std::atomic<int> pending{0}, error{OK}; std::atomic<bool> stop{false};
};
thread_local int depth = 0;
thread_local std::vector<std::pair<Comm*, Job>> grouped;
thread_local char last[256] = "";

static int fail(int result, const char* why) { snprintf(last, sizeof last, "%s", why); return result; }

static bool advance(Comm* c, Step& s) {
  Box& b = s.send ? c->shared->box[c->rank][s.peer] : c->shared->box[s.peer][c->rank];
  int bytes = b.bytes.load(std::memory_order_acquire);
  if (s.send ? bytes != -1 : bytes < 0) return false;
  if (s.send) {
    int n = s.left < BOX ? (int) s.left : BOX;
    memcpy(b.data, s.at, n);
    s.at += n; s.left -= n;
    b.bytes.store(n, std::memory_order_release);
  } else {
    if ((size_t) bytes > s.left) { c->error = INTERNAL; return false; }
    memcpy(s.at, b.data, bytes);
    s.at += bytes; s.left -= bytes;
    b.bytes.store(-1, std::memory_order_release);
  }
  return true;
}

static void run(Comm* c) {
  while (c->shared->come < c->size && !c->stop) std::this_thread::yield();
  c->pending--;                                                            // the communicator itself
  while (!c->stop) {
    Job job;
    {
      std::unique_lock<std::mutex> lock(c->mutex);
      c->more.wait(lock, [&] { return c->stop || !c->jobs.empty(); });
      if (c->stop) return;
      job = std::move(c->jobs.front());
      c->jobs.pop_front();
    }
    for (bool left = true; left && !c->stop && !c->error; ) {
      left = false;
      bool moved = false;
      // of those with one peer in one direction the first goes first
      bool busy[2][RANKS] = {};
      for (auto& s : job.steps) if (s.left > 0 && !busy[s.send][s.peer]) {
        left = busy[s.send][s.peer] = true;
        moved |= advance(c, s);
      }
      if (c->shared->lost && left && !moved) c->error = REMOTE;
      if (!moved) std::this_thread::yield();
    }
    if (!c->stop && !c->error && job.then) job.then();
    c->pending--;
  }
}

static int enqueue(Comm* c, std::vector<Step> steps, Then then) {
  if (!c) return fail(ARGUMENT, "no communicator");
  for (auto& s : steps) if (s.left > 0 && !s.at) return fail(ARGUMENT, "no buffer");
  Job job{std::move(steps), std::move(then)};
  if (depth > 0) {
    // one job a group and communicator, so that sends and receives go side by side
    for (auto& [of, g] : grouped) if (of == c && !g.then && !job.then) { g.steps.insert(g.steps.end(), job.steps.begin(), job.steps.end()); return PROGRESS; }
    grouped.push_back({c, std::move(job)});
    return PROGRESS;
  }
  c->pending++;
  { std::lock_guard<std::mutex> lock(c->mutex); c->jobs.push_back(std::move(job)); }
  c->more.notify_one();
  return PROGRESS;
}

static size_t width(int type) { static const int w[] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2, 1, 1}; return type < 0 || type > 11 ? 0 : w[type]; }

EXPORTED int ncclGetVersion(int* v) { *v = 22100; return OK; }
EXPORTED const char* ncclGetErrorString(int r) { static const char* t[] = {"no error", "unhandled cuda error", "unhandled system error", "internal error", "invalid argument", "invalid usage", "remote process exited or there was a network error", "NCCL operation in progress"}; return r < 0 || r > 7 ? "unknown" : t[r]; }
EXPORTED const char* ncclGetLastError(Comm*) { return last; }

EXPORTED int ncclGetUniqueId(Id* id) {
  static std::atomic<int> number{0};
  memset(id, 0, sizeof *id);
  snprintf(id->name, sizeof id->name, "/jacquard-standin-%d-%d", (int) getpid(), number++);
  int f = shm_open(id->name, O_CREAT | O_EXCL | O_RDWR, 0600);
  if (f < 0 || ftruncate(f, sizeof(Shared)) != 0) return fail(SYSTEM, "no shared memory");
  auto* s = static_cast<Shared*>(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, f, 0));
  close(f);
  if (s == MAP_FAILED) return fail(SYSTEM, "no shared memory");
  for (auto& r : s->box) for (auto& b : r) b.bytes = -1;
  munmap(s, sizeof(Shared));
  return OK;
}

EXPORTED int ncclCommInitRankConfig(Comm** to, int size, Id id, int rank, Config* config) {
  if (!config || config->magic != 0xcafebeef || config->size < sizeof(Config) || config->version < 21800) return fail(ARGUMENT, "a configuration without size, magic or version");
  if (config->blocking != 0) return fail(USAGE, "the stand-in does not block");
  if (size < 1 || size > RANKS || rank < 0 || rank >= size) return fail(ARGUMENT, "a rank out of range");
  int f = shm_open(id.name, O_RDWR, 0600);
  if (f < 0) return fail(SYSTEM, "no such id");
  auto* c = new Comm;
  c->shared = static_cast<Shared*>(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, f, 0));
  close(f);
  c->rank = rank; c->size = size;
  memcpy(c->name, id.name, sizeof c->name);
  c->pending = 1;
  c->shared->come++;
  c->worker = std::thread(run, c);
  *to = c;
  return PROGRESS;
}

EXPORTED int ncclCommGetAsyncError(Comm* c, int* r) { *r = c->error ? c->error.load() : c->pending ? PROGRESS : OK; return OK; }

static int finish(Comm* c, bool lost) {
  if (lost) c->shared->lost = 1;
  c->stop = true;
  { std::lock_guard<std::mutex> lock(c->mutex); }
  c->more.notify_one();
  c->worker.join();
  shm_unlink(c->name);
  munmap(c->shared, sizeof(Shared));
  delete c;
  return OK;
}
EXPORTED int ncclCommDestroy(Comm* c) { while (c->pending && !c->error) std::this_thread::yield(); return finish(c, false); }
EXPORTED int ncclCommAbort(Comm* c) { return finish(c, true); }

EXPORTED int ncclGroupStart() { depth++; return OK; }
EXPORTED int ncclGroupEnd() {
  if (--depth > 0) return OK;
  auto all = std::move(grouped);
  grouped.clear();
  int r = OK;
  for (auto& [c, job] : all) r = enqueue(c, std::move(job.steps), std::move(job.then));
  return r;
}

static char* bytes(const void* p) { return static_cast<char*>(const_cast<void*>(p)); }

EXPORTED int ncclSend(const void* x, size_t n, int type, int peer, Comm* c, void*) {
  if (peer < 0 || peer >= c->size || width(type) == 0) return fail(ARGUMENT, "a peer or type out of range");
  return enqueue(c, {{true, peer, bytes(x), n * width(type), false}}, {});
}
EXPORTED int ncclRecv(void* y, size_t n, int type, int peer, Comm* c, void*) {
  if (peer < 0 || peer >= c->size || width(type) == 0) return fail(ARGUMENT, "a peer or type out of range");
  return enqueue(c, {{false, peer, bytes(y), n * width(type), false}}, {});
}

EXPORTED int ncclAllGather(const void* x, void* y, size_t n, int type, Comm* c, void*) {
  std::vector<Step> steps;
  size_t part = n * width(type);
  for (int r = 0; r < c->size; r++) { steps.push_back({true, r, bytes(x), part, false}); steps.push_back({false, r, bytes(y) + r * part, part, false}); }
  return enqueue(c, std::move(steps), {});
}

/// Part `mine` of `parts` of every rank, added up from the last to the first.
static int reduced(const void* x, void* y, size_t n, int parts, int type, int op, Comm* c) {
  if (type != 7 || op != 0) return fail(ARGUMENT, "the stand-in adds up floats");
  auto all = std::make_shared<std::vector<float>>(n * c->size);
  std::vector<Step> steps;
  for (int r = 0; r < c->size; r++) {
    steps.push_back({true, r, bytes(x) + (parts > 1 ? r * n * 4 : 0), n * 4, false});
    steps.push_back({false, r, reinterpret_cast<char*>(all->data() + r * n), n * 4, false});
  }
  int size = c->size;
  return enqueue(c, std::move(steps), [=] {
    auto* to = static_cast<float*>(y);
    for (size_t i = 0; i < n; i++) { float s = 0; for (int r = size - 1; r >= 0; r--) s += (*all)[r * n + i]; to[i] = s; }
  });
}
EXPORTED int ncclAllReduce(const void* x, void* y, size_t n, int type, int op, Comm* c, void*) { return reduced(x, y, n, 1, type, op, c); }
EXPORTED int ncclReduceScatter(const void* x, void* y, size_t n, int type, int op, Comm* c, void*) { return reduced(x, y, n, c->size, type, op, c); }
EXPORTED int ncclBroadcast(const void* x, void* y, size_t n, int type, int root, Comm* c, void*) {
  std::vector<Step> steps;
  size_t part = n * width(type);
  if (c->rank == root) for (int r = 0; r < c->size; r++) steps.push_back({true, r, bytes(x), part, false});
  steps.push_back({false, root, bytes(y), part, false});
  return enqueue(c, std::move(steps), {});
}
