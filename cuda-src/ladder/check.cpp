// The one checker of all ladders: runs every rung and the shipped kernel at an odd size against a reference in double, and, on a GPU, times them at a large one.
// It calls the CUDA driver that the loader finds as libcuda.so.1: NVIDIA's, or the emulation's. See README.md.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

// ---- The driver

typedef uint64_t Address;
static void* driver;
static std::string folder;
static bool emulated;

template <class... A> static void call(const char* name, A... arguments) {
  auto f = reinterpret_cast<int (*)(A...)>(dlsym(driver, name));
  if (!f) { fprintf(stderr, "the driver has no %s\n", name); exit(2); }
  if (int r = f(arguments...)) {
    const char* why = "?";
    auto text = reinterpret_cast<int (*)(int, const char**)>(dlsym(driver, "cuGetErrorString"));
    if (text) text(r, &why);
    fprintf(stderr, "%s: error %d, %s\n", name, r, why);
    exit(2);
  }
}

static std::vector<Address> blocks;
static Address room(size_t bytes) {
  Address a = 0;
  call("cuMemAlloc_v2", &a, bytes);
  blocks.push_back(a);
  return a;
}
template <class T> static Address put(const std::vector<T>& v) {
  Address a = room(v.size() * sizeof(T));
  call("cuMemcpyHtoDAsync_v2", a, static_cast<const void*>(v.data()), v.size() * sizeof(T), static_cast<void*>(nullptr));
  call("cuCtxSynchronize");
  return a;
}
template <class T> static std::vector<T> get(Address a, size_t n) {
  std::vector<T> v(n);
  call("cuCtxSynchronize");
  call("cuMemcpyDtoHAsync_v2", static_cast<void*>(v.data()), a, n * sizeof(T), static_cast<void*>(nullptr));
  call("cuCtxSynchronize");
  return v;
}
/// NaN, so that no rung is given the result of the one before.
static void spoil(Address a, size_t bytes) { call("cuMemsetD8Async", a, static_cast<unsigned char>(0xff), bytes, static_cast<void*>(nullptr)); }
static void release() {
  for (Address a : blocks) call("cuMemFree_v2", a);
  blocks.clear();
}

/// A kernel as the build listed it: what it is launched with is held against that.
struct Kernel { std::string module, layout; size_t bytes = 0; unsigned threads = 0; void* function = nullptr; };

static Kernel& kernel(const std::string& name) {
  static std::map<std::string, Kernel> list;
  static std::map<std::string, void*> modules;
  if (list.empty()) {
    std::ifstream f(folder + "/kernels.txt");
    std::string line, n;
    for (Kernel k; std::getline(f, line);) { std::istringstream(line) >> n >> k.module >> k.bytes >> k.threads >> k.layout; list[n] = k; }
  }
  auto& k = list[name];
  if (!k.bytes) { fprintf(stderr, "%s/kernels.txt lists no kernel %s: run cuda-src/build\n", folder.c_str(), name.c_str()); exit(2); }
  if (k.function) return k;
  auto& m = modules[k.module];
  if (!m) {                                              // an emulated driver needs no image
    std::ifstream f(folder + "/" + k.module + ".fatbin", std::ios::binary);
    std::string image((std::istreambuf_iterator<char>(f)), std::istreambuf_iterator<char>());
    if (image.empty() && !emulated) { fprintf(stderr, "%s/%s.fatbin is missing: run cuda-src/build\n", folder.c_str(), k.module.c_str()); exit(2); }
    image.push_back(0);
    call("cuModuleLoadData", &m, static_cast<const void*>(image.data()));
  }
  call("cuModuleGetFunction", &k.function, m, name.c_str());
  call("cuFuncSetAttribute", k.function, 8, 160 << 10);  // dynamic shared memory
  return k;
}

/// Launches blocks of as many threads as the kernel is bound to. Arguments are pointers, A::POINTERS of them, then numbers; pointers that the kernel has beyond are null.
template <class A> static void launch(const char* name, int x, int y, int shared, A arguments) {
  auto& k = kernel(name);
  size_t ours = A::POINTERS * sizeof(Address), theirs = k.layout.find_first_not_of('p') * sizeof(Address);
  if (theirs < ours || k.bytes - theirs != sizeof(A) - ours) { fprintf(stderr, "kernel %s takes %zu bytes of arguments, %s; the checker packs %zu\n", name, k.bytes, k.layout.c_str(), sizeof(A)); exit(2); }
  std::vector<char> packed(k.bytes);
  memcpy(packed.data(), &arguments, ours);
  memcpy(packed.data() + theirs, reinterpret_cast<char*>(&arguments) + ours, sizeof(A) - ours);
  void* parameters[] = {packed.data()};
  call("cuLaunchKernel", k.function, static_cast<unsigned>(x), static_cast<unsigned>(y), 1u, k.threads, 1u, 1u, static_cast<unsigned>(shared),
      static_cast<void*>(nullptr), static_cast<void**>(parameters), static_cast<void**>(nullptr));
}

// ---- Numbers

static uint16_t narrow(float x) { uint32_t b; memcpy(&b, &x, 4); return static_cast<uint16_t>((b + 0x7fff + (b >> 16 & 1)) >> 16); }
static float wide(uint16_t h) { uint32_t b = static_cast<uint32_t>(h) << 16; float f; memcpy(&f, &b, 4); return f; }

static std::vector<uint16_t> draw(size_t n, uint64_t seed, float size) {
  std::vector<uint16_t> v(n);
  for (auto& x : v) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    x = narrow((static_cast<float>(seed >> 40) / (1 << 23) - 1.f) * size);
  }
  return v;
}

static double distance(const std::vector<double>& exact, const std::function<double(size_t)>& found) {
  double d = 0, s = 0;
  for (size_t i = 0; i < exact.size(); i++) { double e = exact[i] - found(i); d += e * e; s += exact[i] * exact[i]; }
  return std::sqrt(d / s);
}

static int ceil_div(int a, int b) { return (a + b - 1) / b; }
static int failures;
static std::string left_out;                             // the ladder and rung that is not run, to see that it is missed

struct Rung { const char* name; std::function<void()> run; };

static void run(const char* ladder, const Rung& r) { if (left_out != std::string(ladder) + " " + r.name) r.run(); }

/// Milliseconds a run, on a GPU.
static double time(const std::function<void()>& run) {
  void *from = nullptr, *to = nullptr;
  call("cuEventCreate", &from, 0u);
  call("cuEventCreate", &to, 0u);
  float ms = 0, once = 0;
  int count = 0;
  for (int repeats = 1; count == 0; repeats = once > 100 ? 1 : 20) {                     // first a run to warm up, which also says how long one takes
    call("cuEventRecord", from, static_cast<void*>(nullptr));
    for (int i = 0; i < repeats; i++) run();
    call("cuEventRecord", to, static_cast<void*>(nullptr));
    call("cuEventSynchronize", to);
    call("cuEventElapsedTime", &ms, from, to);
    if (once == 0) once = ms;
    else count = repeats;
  }
  return ms / count;
}

static void report(const char* ladder, const Rung& r, double error, double bound, double flops, const std::function<void()>* large) {
  bool bad = !(error <= bound);
  failures += bad;
  char measured[64] = "not measured on a GPU";
  if (large) { double ms = time(*large); snprintf(measured, sizeof measured, "%9.3f ms %8.1f TFLOP/s", ms, flops / ms * 1e-9); }
  printf("%-10s %-9s error %.1e of %.1e allowed%s   %s\n", ladder, r.name, error, bound, bad ? " FAILED" : "", measured);
}

// ---- The ladders

struct Gemm { static constexpr int POINTERS = 3; Address a, b, c; int m, n, k; };
struct MatMul { static constexpr int POINTERS = 7; Address a, b, c, bias, z, residual, partial; int m, n, k, lda, ldb, share, splits, activation, wide, vectors; float beta; };

static std::vector<Rung> gemm_rungs(Gemm g) {
  auto rung = [g](const char* kernel, int side, int shared) { return [=] { launch(kernel, ceil_div(g.n, side), ceil_div(g.m, side), shared, g); }; };
  return {{"1", rung("ladder_gemm_1", 16, 0)}, {"2", rung("ladder_gemm_2", 32, 2 * 32 * 33 * 4)}, {"3", rung("ladder_gemm_3", 64, 2 * 16 * 65 * 4)},
      {"4", rung("ladder_gemm_4", 64, 2 * 64 * 40 * 2)}, {"5", rung("ladder_gemm_5", 64, 3 * 2 * 64 * 40 * 2)},
      {"shipped", [g] { launch("matmul_bf16_nt_128", ceil_div(g.n, 128), ceil_div(g.m, 128), 128 * 132 * 4,                 // the tile of sums takes more than three slices of A and B
          MatMul{g.a, g.b, g.c, 0, 0, 0, 0, g.m, g.n, g.k, g.k, g.k, ceil_div(g.k, 32) * 32, 1, 0, 1, 3, 0.f}); }}};
}

static Gemm gemm(int m, int n, int k, const std::vector<uint16_t>& a, const std::vector<uint16_t>& b) { return {put(a), put(b), room(4ull * m * n), m, n, k}; }

static void climb_gemm() {
  int m = 77, n = 133, k = 200, big = 4096;
  auto a = draw(m * k, 1, 1), b = draw(n * k, 2, 1);
  std::vector<double> exact(m * n);
  for (int i = 0; i < m; i++) for (int j = 0; j < n; j++) for (int x = 0; x < k; x++) exact[i * n + j] += static_cast<double>(wide(a[i * k + x])) * wide(b[j * k + x]);
  auto g = gemm(m, n, k, a, b);
  std::vector<Rung> large;
  if (!emulated) large = gemm_rungs(gemm(big, big, big, draw(big * big, 1, 1), draw(big * big, 2, 1)));
  auto rungs = gemm_rungs(g);
  for (size_t i = 0; i < rungs.size(); i++) {
    spoil(g.c, 4ull * m * n);
    run("gemm", rungs[i]);
    auto c = get<float>(g.c, m * n);
    // sums of 200 products of BF16, exact in FP32, whose rounding is √k·ε at most
    report("gemm", rungs[i], distance(exact, [&](size_t x) { return c[x]; }), std::sqrt(k) * 6e-8, 2.0 * big * big * big, large.empty() ? nullptr : &large[i].run);
  }
  release();
}

struct Attend { static constexpr int POINTERS = 4; Address q, k, v, o; int rows, heads; float scale; };
struct Shipped { static constexpr int POINTERS = 9; Address q, k, v, bias, o, lse, tiles, from, to; int q_row, k_row, v_row, o_row, heads, d, e, bias_q, bias_k; float scale, prescale, exponent; };

static std::vector<Rung> attention_rungs(Attend a) {
  const int row = 72;                                    // padded, of 64
  auto rung = [a](const char* kernel, int shared) { return [=] { launch(kernel, ceil_div(a.rows, 64), a.heads, shared, a); }; };
  std::vector<int> tiles, from(a.rows, 0), to(a.rows, a.rows);
  for (int i = 0; i < a.rows; i += 64) for (int x : {i, std::min(64, a.rows - i), 0, a.rows, 0, a.rows, 0, 0}) tiles.push_back(x);
  int w = a.heads * 64;
  Shipped s{a.q, a.k, a.v, 0, a.o, 0, put(tiles), put(from), put(to), w, w, w, w, a.heads, 64, 64, 0, 0, a.scale, 1.f, a.scale * 1.44269504f};
  return {{"1", rung("ladder_attention_1", 0)}, {"2", rung("ladder_attention_2", 0)}, {"3", rung("ladder_attention_3", (64 * 65 + 2 * 32 * 64) * 4)},
      {"4", rung("ladder_attention_4", 3 * 64 * row * 2)},
      {"shipped", [=] { launch("attention_forward_64", ceil_div(a.rows, 64), a.heads, 5 * 64 * row * 2 + 512, s); }}};
}

static Attend attend(int rows, int heads) {
  int n = rows * heads * 64;
  return {put(draw(n, 1, 1.7f)), put(draw(n, 2, 1.7f)), put(draw(n, 3, 1.7f)), room(2ull * n), rows, heads, 0.125f};
}

static void climb_attention() {
  int rows = 197, heads = 2, big = 4096, many = 32, n = rows * heads * 64;
  auto a = attend(rows, heads);
  auto q = get<uint16_t>(a.q, n), k = get<uint16_t>(a.k, n), v = get<uint16_t>(a.v, n);
  std::vector<double> exact(n);
  for (int h = 0; h < heads; h++)
    for (int i = 0; i < rows; i++) {
      std::vector<double> p(rows);
      double sum = 0;
      for (int j = 0; j < rows; j++) {
        double z = 0;
        for (int c = 0; c < 64; c++) z += static_cast<double>(wide(q[(i * heads + h) * 64 + c])) * wide(k[(j * heads + h) * 64 + c]);
        sum += p[j] = std::exp(z * 0.125);
      }
      for (int j = 0; j < rows; j++) for (int c = 0; c < 64; c++) exact[(i * heads + h) * 64 + c] += p[j] / sum * wide(v[(j * heads + h) * 64 + c]);
    }
  std::vector<Rung> large;
  if (!emulated) large = attention_rungs(attend(big, many));
  auto rungs = attention_rungs(a);
  for (size_t i = 0; i < rungs.size(); i++) {
    spoil(a.o, 2ull * n);
    run("attention", rungs[i]);
    auto o = get<uint16_t>(a.o, n);
    // the result and, on tensor cores, the probabilities are rounded to BF16: 2⁻⁹ at most, each
    report("attention", rungs[i], distance(exact, [&](size_t x) { return wide(o[x]); }), 2 * std::exp2(-9), 4.0 * big * big * 64 * many, large.empty() ? nullptr : &large[i].run);
  }
  release();
}

struct Sigmoid { static constexpr int POINTERS = 4; Address x, t, scores, partial; int n, d; float scale, bias; };
struct Contrastive { static constexpr int POINTERS = 18; Address x, t, scale, bias, dloss, x_group, t_group, row_sum, column_sum, row_share, column_share, g, first, second, row_tops, row_sums, column_tops, column_sums;
  int n, d, begin, rows, vectors; float factor; };

static std::vector<Rung> sigmoid_rungs(Sigmoid s) {
  auto grid = [s](const char* kernel, int side, int shared) { return [=] { launch(kernel, ceil_div(s.n, side), ceil_div(s.n, side), shared, s); }; };
  std::vector<Rung> r;
  auto store = grid("ladder_sigmoid_1", 16, 0), fold = grid("ladder_sigmoid_1_loss", 16, 128);
  r.push_back({"1", [=] { store(); fold(); }});
  r.push_back({"2", grid("ladder_sigmoid_2", 16, 128)});
  r.push_back({"3", grid("ladder_sigmoid_3", 32, 2 * 32 * 33 * 4)});
  Contrastive c{s.x, s.t, put(std::vector<float>{s.scale}), put(std::vector<float>{s.bias}), 0, 0, 0, 0, 0, 0, 0, 0, s.partial, 0, 0, 0, 0, 0, s.n, s.d, 0, s.n, 1, 0.f};
  r.push_back({"shipped", [=] { launch("contrastive_sigmoid_bf16", ceil_div(s.n, 128), ceil_div(s.n, 128), 3 * 2 * 128 * 40 * 2, c); }});
  return r;
}
static int sides(size_t rung) { return rung < 2 ? 16 : rung == 2 ? 32 : 128; }

static Sigmoid sigmoid(int n, int d) {
  return {put(draw(n * d, 1, 0.2f)), put(draw(n * d, 2, 0.2f)), room(4ull * n * n), room(4ull * ceil_div(n, 16) * ceil_div(n, 16)), n, d, 10.f, -4.f};
}

static void climb_sigmoid() {
  int n = 150, d = 72, big = 32768, wider = 768;
  auto s = sigmoid(n, d);
  auto x = get<uint16_t>(s.x, n * d), t = get<uint16_t>(s.t, n * d);
  double exact = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      double z = 0;
      for (int c = 0; c < d; c++) z += static_cast<double>(wide(x[i * d + c])) * wide(t[j * d + c]);
      z = z * 10 - 4;
      exact += std::log1p(std::exp(i == j ? -z : z));
    }
  std::vector<Rung> large;
  if (!emulated) large = sigmoid_rungs(sigmoid(big, wider));
  auto rungs = sigmoid_rungs(s);
  for (size_t i = 0; i < rungs.size(); i++) {
    int blocks = ceil_div(n, sides(i)) * ceil_div(n, sides(i));
    spoil(s.partial, 4ull * blocks);
    run("sigmoid", rungs[i]);
    auto partial = get<float>(s.partial, blocks);
    double found = 0;
    for (float y : partial) found += y;
    // FP32 throughout: a dot of 72 terms, and sums of at most 16,384 pairs by threads and folds
    report("sigmoid", rungs[i], std::fabs(found - exact) / exact, std::sqrt(d) * 6e-8 * 4, 2.0 * big * big * wider, large.empty() ? nullptr : &large[i].run);
  }
  release();
}

int main(int n, char** arguments) {
  folder = n > 1 ? arguments[1] : "target/cuda/jacquard/cuda";
  if (n > 2) left_out = arguments[2];
  driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (!driver) { fprintf(stderr, "%s\n", dlerror()); return 2; }
  auto set = reinterpret_cast<long (*)(const char*, long)>(dlsym(driver, "emulation_set"));
  emulated = set != nullptr;
  if (emulated) set("check", 1);                         // memory, races, barriers
  void* context = nullptr;
  int device = 0;
  char name[256] = "";
  call("cuInit", 0u);
  call("cuDeviceGet", &device, 0);
  call("cuDeviceGetName", static_cast<char*>(name), 256, device);
  call("cuDevicePrimaryCtxRetain", &context, device);
  call("cuCtxSetCurrent", context);
  printf("%s\n", name);
  climb_gemm();
  climb_attention();
  climb_sigmoid();
  if (failures) printf("%d rungs failed\n", failures);
  return failures ? 1 : 0;
}
