// Sums and lengths that do not depend on the order of what is added: the same to the last bit on any machine.
//
// Terms are rounded to multiples of a power of two so small that a double holds every sum of them exactly; then any
// order, any width of vector instruction and any number of rows beside give the same.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace exact {

constexpr int SUM_BITS = 51;  // a double holds integers up to 2^53
// Of a bound: below it a unit would be less than the smallest number of full precision, 2^-1022, or 0.
constexpr int LEAST_EXPONENT = -970;
constexpr double SQUARES = 1LL << 42;
constexpr double TO_WHOLE = 1.5 * (1LL << 52);

// To the nearest whole number, to the even one of two, of what is at most 2^51; a library's rint is no vector
// instruction.
inline double whole(double number) { return (number + TO_WHOLE) - TO_WHOLE; }

// What terms are to be rounded to multiples of, whose absolute values come to no more than the bound.
inline double unit(double bound) {
    int exponent = 0;
    std::frexp(bound, &exponent);
    return std::ldexp(1.0, std::max(exponent, LEAST_EXPONENT) - SUM_BITS);
}

template <typename Number>
double reach(const Number* numbers, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(static_cast<double>(numbers[i])));
    return largest;
}

// Euclidean, of fewer than 1,000 numbers.
template <typename Number>
double length(const Number* numbers, size_t count) {
    const double largest = reach(numbers, count);
    if (largest == 0) return 0;
    double squares = 0;
    for (size_t i = 0; i < count; ++i) {
        const double share = numbers[i] / largest;
        squares += whole(share * share * SQUARES);
    }
    return largest * std::sqrt(squares / SQUARES);
}

}  // namespace exact
