// JSON as text: a cursor that reads it by the strict grammar of RFC 8259, or throws. It never looks beyond its end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace json {

// What is read is not what this reader takes; somebody else may.
struct Extraordinary {};

[[noreturn, gnu::noinline, gnu::cold]] inline void refuse() { throw Extraordinary{}; }

inline void require(bool ordinary) {
    if (!ordinary) refuse();
}

// Levels of lists and objects within a value that nobody asked for. Its skipping does not recurse.
constexpr int DEEPEST = 32;

inline bool is_digit(unsigned char byte) { return byte >= '0' && byte <= '9'; }

// UTF-8 of a code point that is no half of a surrogate pair.
inline void append_utf8(std::string& text, uint32_t point) {
    if (point < 0x80) {
        text.push_back(static_cast<char>(point));
    } else if (point < 0x800) {
        text.push_back(static_cast<char>(0xC0 | point >> 6));
        text.push_back(static_cast<char>(0x80 | (point & 0x3F)));
    } else if (point < 0x10000) {
        text.push_back(static_cast<char>(0xE0 | point >> 12));
        text.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
        text.push_back(static_cast<char>(0x80 | (point & 0x3F)));
    } else {
        text.push_back(static_cast<char>(0xF0 | point >> 18));
        text.push_back(static_cast<char>(0x80 | (point >> 12 & 0x3F)));
        text.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
        text.push_back(static_cast<char>(0x80 | (point & 0x3F)));
    }
}

// The code point that begins at `at`, which is moved behind it. Throws where the bytes are no UTF-8.
inline uint32_t next_point(const char*& at, const char* end) {
    const auto first = static_cast<unsigned char>(*at++);
    if (first < 0x80) return first;
    const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    require(first >= 0xC2 && first <= 0xF4 && end - at >= more);
    uint32_t point = first & (0x3F >> more);
    for (int count = 0; count < more; ++count) {
        const auto byte = static_cast<unsigned char>(*at++);
        require((byte & 0xC0) == 0x80);
        point = point << 6 | (byte & 0x3F);
    }
    constexpr uint32_t LEAST[] = {0, 0x80, 0x800, 0x10000};
    require(point >= LEAST[more] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF));
    return point;
}

// Of the bytes of a string those that need no second look: ASCII but for control characters, quote and backslash.
constexpr std::array<bool, 256> ORDINARY = [] {
    std::array<bool, 256> table{};
    for (size_t byte = 0x20; byte < 0x80; ++byte) table[byte] = byte != '"' && byte != '\\';
    return table;
}();

// The content of a string as it stands between its quotes.
struct Text {
    std::string_view content;
    bool escaped = false;
};

class Cursor {
  public:
    Cursor(const char* begin, const char* end) : at_(begin), end_(end) {}

    const char* place() const { return at_; }
    bool ended() const { return at_ == end_; }
    // The next byte, 0 at the end; a byte 0 is nowhere good.
    char peek() const { return at_ == end_ ? '\0' : *at_; }

    void skip_space() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    }

    bool take(char wanted) {
        if (peek() != wanted) return false;
        ++at_;
        return true;
    }

    void expect(char wanted) { require(take(wanted)); }

    bool take_word(std::string_view word) {
        if (static_cast<size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0)
            return false;
        at_ += word.size();
        return true;
    }

    // Control characters must be escaped, escapes and UTF-8 be right; escapes may give halves of surrogate pairs.
    Text text() {
        expect('"');
        Text found;
        const char* begin = at_;
        while (true) {
            while (at_ != end_ && ORDINARY[static_cast<unsigned char>(*at_)]) ++at_;
            require(at_ != end_);
            const auto byte = static_cast<unsigned char>(*at_);
            if (byte == '"') break;
            if (byte >= 0x80) {
                next_point(at_, end_);
            } else {
                require(byte == '\\');
                ++at_;
                found.escaped = true;
                skip_escape();
            }
        }
        found.content = {begin, static_cast<size_t>(at_++ - begin)};
        return found;
    }

    std::string_view number() {
        const char* begin = at_;
        take('-');
        if (!take('0')) skip_digits();
        if (take('.')) skip_digits();
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            skip_digits();
        }
        return {begin, static_cast<size_t>(at_ - begin)};
    }

    // A value that nobody wants.
    void skip_value() {
        char open[DEEPEST];
        int depth = 0;
        while (true) {
            skip_space();
            if (peek() == '{' || peek() == '[') {
                require(depth < DEEPEST);
                open[depth++] = *at_++;
                skip_space();
                if (peek() != '}' && peek() != ']') {
                    if (open[depth - 1] == '{') skip_name();
                    continue;
                }
            } else {
                skip_scalar();
            }
            while (true) {  // behind a value, or behind what opens an empty one
                if (depth == 0) return;
                skip_space();
                if (take(',')) break;
                expect(open[depth - 1] == '{' ? '}' : ']');
                --depth;
            }
            if (open[depth - 1] == '{') skip_name();
        }
    }

  private:
    void skip_digits() {
        require(is_digit(static_cast<unsigned char>(peek())));
        while (is_digit(static_cast<unsigned char>(peek()))) ++at_;
    }

    void skip_escape() {
        const char kind = peek();
        require(kind != '\0' && std::strchr("\"\\/bfnrtu", kind) != nullptr);
        ++at_;
        for (int count = 0; kind == 'u' && count < 4; ++count) {
            const char digit = peek();
            require(is_digit(static_cast<unsigned char>(digit)) || ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f'));
            ++at_;
        }
    }

    void skip_name() {
        skip_space();
        text();
        skip_space();
        expect(':');
    }

    void skip_scalar() {
        if (peek() == '"') {
            text();
        } else if (!take_word("null") && !take_word("true") && !take_word("false")) {
            number();
        }
    }

    const char* at_;
    const char* end_;
};

inline uint32_t hexadecimal(const char* digits) {
    uint32_t value = 0;
    for (int place = 0; place < 4; ++place) {
        const char digit = digits[place];
        value = value << 4 | static_cast<uint32_t>(
                                 is_digit(static_cast<unsigned char>(digit)) ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    return value;
}

// The characters that a string with escapes means. Throws for half of a surrogate pair.
inline void unescape(std::string_view content, std::string& meant) {
    meant.clear();
    for (size_t at = 0; at < content.size(); ++at) {
        if (content[at] != '\\') {
            meant.push_back(content[at]);
            continue;
        }
        const char kind = content[++at];
        if (kind != 'u') {
            constexpr std::string_view KINDS = "\"\\/bfnrt", MEANT = "\"\\/\b\f\n\r\t";
            meant.push_back(MEANT[KINDS.find(kind)]);
            continue;
        }
        uint32_t point = hexadecimal(content.data() + at + 1);
        at += 4;
        if (point >= 0xD800 && point <= 0xDFFF) {
            require(point < 0xDC00 && content.size() - at > 6 && content[at + 1] == '\\' && content[at + 2] == 'u');
            const uint32_t low = hexadecimal(content.data() + at + 3);
            require(low >= 0xDC00 && low <= 0xDFFF);
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
            at += 6;
        }
        append_utf8(meant, point);
    }
}

}  // namespace json
