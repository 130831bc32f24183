// What the rules of services/ingest/domain/values.py make of ordinary values. What they could see differently throws.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json_text.hpp"

namespace payments {

using json::is_digit;
using json::require;

// As str.isspace().
inline bool is_space(uint32_t point) {
    return (point >= 0x09 && point <= 0x0D) || (point >= 0x1C && point <= 0x20) || point == 0x85 || point == 0xA0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 ||
           point == 0x202F || point == 0x205F || point == 0x3000;
}

// As CONTROL of values.py.
inline bool is_control(uint32_t point) { return point < 0x20 || (point >= 0x7F && point < 0xA0); }

// Stripped as str.strip() does it. Of 1 to `most` characters, none of them a control character.
inline std::string_view stripped(std::string_view text, size_t most) {
    const char *at = text.data(), *end = at + text.size();
    const char *begin = nullptr, *behind = at;
    size_t characters = 0, until_behind = 0;
    bool control = false, control_inside = false;
    while (at != end) {
        const char* here = at;
        const uint32_t point = json::next_point(at, end);
        control |= is_control(point);
        if (is_space(point)) {
            characters += begin != nullptr;
            continue;
        }
        if (begin == nullptr) {
            begin = here;
            control = is_control(point);
        }
        until_behind = ++characters;
        behind = at;
        control_inside = control;
    }
    require(begin != nullptr && until_behind <= most && !control_inside);
    return {begin, static_cast<size_t>(behind - begin)};
}

// The same of printable ASCII that neither begins nor ends with a space: most texts are no more than that.
inline bool is_plain(std::string_view text) {
    for (const char character : text) {
        if (character < 0x20 || character == 0x7F) return false;
    }
    return !text.empty() && text.front() != ' ' && text.back() != ' ';
}

constexpr int WHOLE_DIGITS = 16, PLACES = 2, EXPONENT_DIGITS = 4;

// Hundredths of a number, halves away from zero; below 10^16 before and after it.
// `text`: [+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?
inline int64_t hundredths(std::string_view text) {
    size_t at = 0;
    const auto peek = [&] { return at < text.size() ? text[at] : '\0'; };
    const auto digit = [&] { return is_digit(static_cast<unsigned char>(peek())); };
    const bool negative = peek() == '-';
    at += peek() == '-' || peek() == '+';
    // Of the digits that count, `kept` are those that hundredths may be made of; `point`: how many stand before it.
    char kept[WHOLE_DIGITS + PLACES + 1];
    int64_t point = 0;
    size_t digits = 0, seen = 0;
    bool fraction = false;
    for (; digit() || (peek() == '.' && !fraction); ++at) {
        if (peek() == '.') {
            fraction = true;
            continue;
        }
        ++seen;
        if (digits > 0 || peek() != '0') {
            if (digits < sizeof kept) kept[digits] = peek();
            ++digits;
            point += !fraction;
        } else if (fraction) {
            --point;
        }
    }
    require(seen > 0);
    if (peek() == 'e' || peek() == 'E') {
        ++at;
        const bool less = peek() == '-';
        at += peek() == '-' || peek() == '+';
        const size_t begin = at;
        int64_t exponent = 0;
        for (; digit() && at - begin < EXPONENT_DIGITS; ++at) exponent = exponent * 10 + (peek() - '0');
        require(at > begin);
        point += less ? -exponent : exponent;
    }
    require(at == text.size());
    if (digits == 0 || point < -PLACES) return 0;
    require(point <= WHOLE_DIGITS);
    const auto place = [&](size_t index) { return index < digits && index < sizeof kept ? kept[index] - '0' : 0; };
    const auto whole = static_cast<size_t>(point + PLACES);
    int64_t found = 0;
    for (size_t index = 0; index < whole; ++index) found = found * 10 + place(index);
    found += place(whole) >= 5;
    require(found < 1'000'000'000'000'000'000);
    return negative ? -found : found;
}

// Days from 1970-01-01 in the calendar that dates are written in.
// Source: H. Hinnant, "chrono-compatible low-level date algorithms".
inline int64_t days_since_1970(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    const int64_t era = year / 400, of_era = year - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

constexpr int64_t SECOND = 1'000'000;

// Microseconds since 1970, from `first` to before `end`, of YYYY-MM-DD, T or a space, HH:MM:SS, perhaps .f to .ffffff,
// perhaps Z, +HH:MM or -HH:MM; without: UTC.
inline int64_t moment(std::string_view text, int64_t first, int64_t end) {
    size_t at = 0;
    const auto take = [&](char wanted) { return at < text.size() && text[at] == wanted && (++at, true); };
    const auto number = [&](size_t digits, int64_t least, int64_t most) {
        int64_t value = 0;
        require(text.size() - at >= digits);
        for (size_t count = 0; count < digits; ++count, ++at) {
            require(is_digit(static_cast<unsigned char>(text[at])));
            value = value * 10 + (text[at] - '0');
        }
        require(value >= least && value <= most);
        return value;
    };
    const int64_t year = number(4, 1, 9999);
    require(take('-'));
    const int64_t month = number(2, 1, 12);
    require(take('-'));
    constexpr int LENGTHS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    const int64_t day = number(2, 1, LENGTHS[month - 1] + (leap && month == 2));
    require(take('T') || take(' '));
    int64_t seconds = number(2, 0, 23) * 3600;
    require(take(':'));
    seconds += number(2, 0, 59) * 60;
    require(take(':'));
    seconds += number(2, 0, 59);
    int64_t micro = 0;
    if (take('.')) {
        const size_t begin = at;
        int64_t unit = SECOND / 10;
        for (; at < text.size() && is_digit(static_cast<unsigned char>(text[at])); ++at, unit /= 10) {
            micro += (text[at] - '0') * unit;
        }
        require(at > begin && at - begin <= 6);
    }
    if (!take('Z') && at < text.size()) {
        const bool east = take('+');
        require(east || take('-'));
        int64_t offset = number(2, 0, 23) * 3600;
        require(take(':'));
        offset += number(2, 0, 59) * 60;
        seconds -= east ? offset : -offset;
    }
    require(at == text.size());
    const int64_t found = (days_since_1970(year, month, day) * 86'400 + seconds) * SECOND + micro;
    require(found >= first && found < end);
    return found;
}

}  // namespace payments
