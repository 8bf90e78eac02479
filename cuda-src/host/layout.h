// The fields of an argument struct as letters, found by the compiler: p pointer, i int or unsigned, l long long, f float, h 16 bits, b a byte. Java packs by them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

template <class T, int N> struct Array;

namespace emulation {

struct Anything { template <class T> operator T() const; };

/// How many fields an aggregate has: the longest list of initialisers it takes.
template <class S, class... A> constexpr int fields() {
  if constexpr (requires { S{std::declval<A>()..., Anything{}}; }) return fields<S, A..., Anything>();
  else return sizeof...(A);
}

struct Letters {
  char letters[512] = {};
  int count = 0, bytes = 0;
  int row = 0;                                           // bytes of a row of the table of structs that a field points to
  constexpr void add(char c, int size) {
    letters[count++] = c;
    bytes = (bytes + size - 1) / size * size + size;
  }
};

template <class T> struct Code { static constexpr void add(Letters& l) {
  static_assert(std::is_pointer_v<T> || std::is_arithmetic_v<T>, "a field is a pointer, a number or an Array of them");
  if constexpr (std::is_pointer_v<T>) {
    using To = std::remove_pointer_t<T>;
    if constexpr (std::is_class_v<To>) if (sizeof(To) > 8) l.row = sizeof(To);
    l.add('p', 8);
  }
  else if constexpr (std::is_same_v<T, float>) l.add('f', 4);
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 4) l.add('i', 4);
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) l.add('l', 8);
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 2) l.add('h', 2);
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 1) l.add('b', 1);
  else static_assert(!sizeof(T), "no letter for this type");
} };
template <class T, int N> struct Code<Array<T, N>> { static constexpr void add(Letters& l) { for (int i = 0; i < N; i++) Code<T>::add(l); } };

template <class... F> struct Types {
  static constexpr Letters letters() {
    Letters l;
    (Code<F>::add(l), ...);
    return l;
  }
};

/// The types of the fields: a structured binding names them, one list for each count.
#define FIELDS_OF(n, ...) else if constexpr (count == n) { auto& [__VA_ARGS__] = s; return of(__VA_ARGS__); }
template <class S> constexpr auto field_types(S& s) {
  constexpr auto of = []<class... F>(F&...) { return Types<F...>(); };
  constexpr int count = fields<S>();
  if constexpr (count == 0) return Types<>();
  FIELDS_OF(1, f0)
  FIELDS_OF(2, f0, f1)
  FIELDS_OF(3, f0, f1, f2)
  FIELDS_OF(4, f0, f1, f2, f3)
  FIELDS_OF(5, f0, f1, f2, f3, f4)
  FIELDS_OF(6, f0, f1, f2, f3, f4, f5)
  FIELDS_OF(7, f0, f1, f2, f3, f4, f5, f6)
  FIELDS_OF(8, f0, f1, f2, f3, f4, f5, f6, f7)
  FIELDS_OF(9, f0, f1, f2, f3, f4, f5, f6, f7, f8)
  FIELDS_OF(10, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9)
  FIELDS_OF(11, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10)
  FIELDS_OF(12, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11)
  FIELDS_OF(13, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12)
  FIELDS_OF(14, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13)
  FIELDS_OF(15, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14)
  FIELDS_OF(16, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15)
  FIELDS_OF(17, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16)
  FIELDS_OF(18, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17)
  FIELDS_OF(19, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18)
  FIELDS_OF(20, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19)
  FIELDS_OF(21, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20)
  FIELDS_OF(22, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21)
  FIELDS_OF(23, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22)
  FIELDS_OF(24, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23)
  FIELDS_OF(25, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24)
  FIELDS_OF(26, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25)
  FIELDS_OF(27, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26)
  FIELDS_OF(28, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27)
  FIELDS_OF(29, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28)
  FIELDS_OF(30, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29)
  FIELDS_OF(31, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30)
  FIELDS_OF(32, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31)
  FIELDS_OF(33, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32)
  FIELDS_OF(34, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33)
  FIELDS_OF(35, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34)
  FIELDS_OF(36, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35)
  FIELDS_OF(37, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36)
  FIELDS_OF(38, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36, f37)
  FIELDS_OF(39, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36, f37, f38)
  FIELDS_OF(40, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36, f37, f38, f39)
  else static_assert(count < 0, "more fields than this list has lines");
}
#undef FIELDS_OF

template <class S> constexpr Letters layout = [] {
  static_assert(std::is_trivially_copyable_v<S>, "an argument struct is plain data");
  constexpr Letters l = decltype(field_types(std::declval<S&>()))::letters();
  static_assert((l.bytes + alignof(S) - 1) / alignof(S) * alignof(S) == sizeof(S), "the fields do not add up to the struct");
  return l;
}();
}
