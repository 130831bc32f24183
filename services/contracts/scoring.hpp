// How companies are scored for a client, in two stages. See scorer.pyi.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "exact.hpp"
#include "longest.hpp"

namespace scoring {

// Half of the distance from 1 to the next float: what one operation may be wrong by, as a share.
constexpr double ROUNDING = 1.0 / (1 << 24);

// What speaks for a company; see ranking.py.
enum Kind : uint8_t { NOTHING, MODEL, HISTORY };

struct Score {
    int64_t company;
    float score;
    Kind kind;

    bool operator<(const Score& other) const {
        return score != other.score ? score > other.score : company < other.company;
    }
};

inline std::vector<double> lengths(const Matrix& matrix) {
    std::vector<double> found(matrix.rows);
    for (size_t i = 0; i < matrix.rows; ++i) found[i] = exact::length(matrix.row(i), matrix.width);
    return found;
}

// Higham 2002, Accuracy and Stability of Numerical Algorithms, (3.5); a little more, as this is rounded itself. A query
// has the length of 1 and, in the last place, 1 more.
inline std::vector<float> doubts(const std::vector<double>& norms, size_t width) {
    const double share = 1.1 * static_cast<double>(width + 4) * ROUNDING * std::sqrt(2.0);
    std::vector<float> found;
    for (double norm : norms) found.push_back(static_cast<float>(norm * share));
    return found;
}

class Scores {
  public:
    Scores(Matrix source, Matrix target, size_t longest) : Scores(source, target, longest, lengths(target)) {}

    const std::vector<float>& doubt() const { return doubt_; }
    size_t width() const { return target_.width; }

    void query(const int32_t* companies, const float* weights, size_t count, float* asked) const {
        double heaviest = 0;
        for (size_t i = 0; i < count; ++i)
            if (is_indexed(companies[i])) heaviest = std::max(heaviest, std::abs(static_cast<double>(weights[i])));
        const double unit = exact::unit(heaviest * source_reach_ * static_cast<double>(count)), units = 1 / unit;
        std::vector<double> sums(width());
        for (size_t i = 0; i < count; ++i) {
            if (!is_indexed(companies[i])) continue;
            const float* source = source_.row(companies[i]);
            const double weight = weights[i];
            for (size_t k = 0; k < width(); ++k) sums[k] += exact::whole(source[k] * weight * units);
        }
        for (double& sum : sums) sum *= unit;
        const double length = exact::length(sums.data(), width());
        for (size_t k = 0; k < width(); ++k) asked[k] = length > 0 ? static_cast<float>(sums[k] / length) : 0;
        asked[width() - 1] = length > 0;
    }

    // Of an indexed company; out_of_range for any other.
    Score score(const float* asked, int64_t company) const {
        if (!is_indexed(company)) throw std::out_of_range("a company that is not indexed has no score");
        constexpr size_t LANES = 8;
        const float* target = target_.row(company);
        const double units = 1 / target_unit_;
        const size_t last = width() - 1;
        double lanes[LANES] = {}, sum = 0;
        size_t k = 0;
        for (; k + LANES <= last; k += LANES)
            for (size_t lane = 0; lane < LANES; ++lane)
                lanes[lane] += exact::whole(static_cast<double>(target[k + lane]) * asked[k + lane] * units);
        for (; k < last; ++k) sum += exact::whole(static_cast<double>(target[k]) * asked[k] * units);
        for (double lane : lanes) sum += lane;
        const double from_history = sum * target_unit_;
        const double popularity = static_cast<double>(target[last]) * asked[last];
        const float score = static_cast<float>(from_history + popularity), rounding = 2 * doubt_[company];
        return {company, score, score <= rounding ? NOTHING : from_history > rounding ? HISTORY : MODEL};
    }

    std::vector<Score> ranked(const float* asked, const int64_t* companies, size_t count) const {
        std::vector<Score> scores;
        scores.reserve(count);
        for (size_t i = 0; i < count; ++i) {
            const Score found = score(asked, companies[i]);
            if (found.kind != NOTHING) scores.push_back(found);
        }
        std::sort(scores.begin(), scores.end());
        return scores;
    }

    // nearest(): companies beside the longest; it is asked where these may not hold all of the best `count`.
    template <typename Nearest>
    std::vector<Score> ranked_near(const float* asked, const std::vector<int32_t>& barred, size_t count,
                                   const Nearest& nearest) const {
        Companies chosen;
        if (!longest_.choose(asked, barred, count, chosen))
            for (int64_t company : nearest())
                if (!is_indexed(company) || (!longest_.has(company) && !contains(barred, company)))
                    chosen.push_back(company);
        return ranked(asked, chosen.data(), chosen.size());
    }

  private:
    Scores(Matrix source, Matrix target, size_t longest, const std::vector<double>& norms)
        : source_(source),
          target_(target),
          source_reach_(exact::reach(source.numbers, source.rows * source.width)),
          // No number of a query is above 1.
          target_unit_(exact::unit(exact::reach(target.numbers, target.rows * target.width) *
                                   static_cast<double>(target.width))),
          doubt_(doubts(norms, target.width)),
          longest_(target, norms, doubt_, std::min(longest, target.rows)) {}

    bool is_indexed(int64_t company) const { return company >= 0 && static_cast<size_t>(company) < target_.rows; }

    static bool contains(const std::vector<int32_t>& companies, int64_t company) {
        return std::find(companies.begin(), companies.end(), company) != companies.end();
    }

    Matrix source_, target_;
    double source_reach_, target_unit_;
    std::vector<float> doubt_;
    Longest longest_;
};

}  // namespace scoring
