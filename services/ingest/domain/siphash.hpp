// SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, 2012) with the key of its paper's example, as nothing here is secret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace siphash {

constexpr uint64_t KEY[] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

struct State {
    uint64_t a = KEY[0] ^ 0x736f6d6570736575, b = KEY[1] ^ 0x646f72616e646f6d;
    uint64_t c = KEY[0] ^ 0x6c7967656e657261, d = KEY[1] ^ 0x7465646279746573;

    static uint64_t turned(uint64_t word, int bits) { return word << bits | word >> (64 - bits); }

    void round() {
        a += b, b = turned(b, 13) ^ a, a = turned(a, 32);
        c += d, d = turned(d, 16) ^ c;
        a += d, d = turned(d, 21) ^ a;
        c += b, b = turned(b, 17) ^ c, c = turned(c, 32);
    }

    void take(uint64_t word) {
        d ^= word;
        round(), round();
        a ^= word;
    }
};

inline uint64_t digest(std::string_view content) {
    State state;
    size_t at = 0;
    for (; content.size() - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        std::memcpy(&word, content.data() + at, sizeof word);
        state.take(word);
    }
    uint64_t last = static_cast<uint64_t>(content.size()) << 56;
    for (size_t place = 0; at + place < content.size(); ++place) {
        last |= static_cast<uint64_t>(static_cast<unsigned char>(content[at + place])) << 8 * place;
    }
    state.take(last);
    state.c ^= 0xff;
    for (int count = 0; count < 4; ++count) state.round();
    return state.a ^ state.b ^ state.c ^ state.d;
}

}  // namespace siphash
