#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The mathematics of the statistics of ports.
enum PortMath {
    static func ln(_ value: Double) -> Double { log(value) }
    static func e(_ value: Double) -> Double { exp(value) }
    static func log2(_ value: Double) -> Double { log(value) / log(2) }

    /// Returns the logarithm of a sum of numbers that are given by their logarithms.
    static func logSum(_ values: [Double]) -> Double {
        guard let most = values.max(), most > -.infinity else { return -.infinity }
        return most + log(values.reduce(0) { $0 + exp($1 - most) })
    }

    /// Returns the natural logarithm of the beta function of two whole numbers plus one: of the probability of one
    /// sequence of successes and failures with an unknown share.
    static func logBeta(_ successes: Int, _ failures: Int) -> Double {
        lgamma(Double(successes) + 1) + lgamma(Double(failures) + 1) - lgamma(Double(successes + failures) + 2)
    }

    /// Returns log10 of the probability that a fair coin gives a count of heads at least as far from one half, either
    /// way.
    static func log10CoinTail(_ heads: Int, of count: Int) -> Double {
        guard count > 0 else { return 0 }
        let most = max(heads, count - heads)
        guard most * 2 > count else { return 0 }
        return min(0, (logTail(most, of: count, 0.5) + log(2)) / log(10))
    }

    /// Returns the natural logarithm of the probability of at least a number of successes.
    static func logTail(_ successes: Int, of count: Int, _ chance: Double) -> Double {
        guard successes > 0 else { return 0 }
        guard chance > 0 else { return -.infinity }
        guard chance < 1 else { return 0 }
        var term = lgamma(Double(count) + 1) - lgamma(Double(successes) + 1) - lgamma(Double(count - successes) + 1)
        term += Double(successes) * log(chance) + Double(count - successes) * log(1 - chance)
        var sum = 0.0
        var factor = 1.0
        // The terms fall from the mean on; the sum ends when they are negligible.
        for index in successes...count {
            sum += factor
            factor *= Double(count - index) / Double(index + 1) * chance / (1 - chance)
            if factor < 1e-12 * sum, Double(index) > Double(count) * chance { break }
        }
        return min(0, term + log(sum))
    }

    /// Returns the probability of a chi-square value at least as great.
    ///
    /// Source: E. B. Wilson, M. M. Hilferty, "The Distribution of Chi-Square" (1931): the cube root is nearly normal.
    static func chiSquareTail(_ value: Double, degrees: Int) -> Double {
        guard degrees > 0, value > 0 else { return 1 }
        let k = Double(degrees)
        let z = (pow(value / k, 1.0 / 3) - (1 - 2 / (9 * k))) / (2 / (9 * k)).squareRoot()
        return erfc(z / 2.0.squareRoot()) / 2
    }
}
