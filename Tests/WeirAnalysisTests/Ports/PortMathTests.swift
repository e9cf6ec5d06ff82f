import Testing

@testable import WeirAnalysis

@Suite("Mathematics of ports")
struct PortMathTests {
    private func isNear(_ value: Double, _ expected: Double) -> Bool {
        abs(value - expected) <= 1e-9 * max(1, abs(expected))
    }

    @Test("A sum of logarithms is that of their numbers")
    func logSum() {
        #expect(isNear(PortMath.logSum([PortMath.ln(2), PortMath.ln(3), PortMath.ln(5)]), PortMath.ln(10)))
        #expect(isNear(PortMath.logSum([-1000, -1000]), -1000 + PortMath.ln(2)))
        #expect(PortMath.logSum([]) == -.infinity && PortMath.logSum([-.infinity]) == -.infinity)
    }

    @Test(
        "The beta function of whole numbers",
        arguments: [(0, 0, 1.0), (1, 0, 2), (0, 1, 2), (1, 1, 6), (2, 3, 60), (5, 5, 2772)]
    )
    func logBeta(successes: Int, failures: Int, inverse: Double) {
        #expect(isNear(PortMath.logBeta(successes, failures), -PortMath.ln(inverse)))
    }

    @Test("The tail of a binomial distribution is the sum of its terms", arguments: [0.1, 0.5, 0.9])
    func logTail(chance: Double) {
        for count in 1...12 {
            var terms = [1.0]
            for _ in 0..<count {
                terms = (0...terms.count).map {
                    ($0 < terms.count ? terms[$0] * (1 - chance) : 0) + ($0 > 0 ? terms[$0 - 1] * chance : 0)
                }
            }
            for successes in 0...count {
                let tail = terms[successes...].reduce(0, +)
                #expect(abs(PortMath.e(PortMath.logTail(successes, of: count, chance)) - tail) < 1e-9)
                let most = max(successes, count - successes)
                let coin = most * 2 > count ? min(1, 2 * PortMath.e(PortMath.logTail(most, of: count, 0.5))) : 1
                #expect(abs(PortMath.e(PortMath.log10CoinTail(successes, of: count) * PortMath.ln(10)) - coin) < 1e-9)
            }
        }
        #expect(
            PortMath.logTail(0, of: 5, chance) == 0 && PortMath.logTail(1, of: 5, 0) == -.infinity
                && PortMath.logTail(1, of: 5, 1) == 0
        )
        #expect(PortMath.log10CoinTail(0, of: 0) == 0)
        // Far in the tail, where all terms but the first ones are negligible.
        #expect(isNear(PortMath.logTail(1000, of: 1000, 0.5), -1000 * PortMath.ln(2)))
        #expect(isNear(PortMath.log10CoinTail(1000, of: 1000), (1 - 1000) * PortMath.ln(2) / PortMath.ln(10)))
        #expect(isNear(PortMath.logTail(600, of: 1000, 0.5), -22.715_259_239_806_64))
    }

    @Test(
        "The tail of chi-square is within a thousandth of the tables",
        arguments: [
            (24.996, 15, 0.05), (8.547, 15, 0.9), (14.339, 15, 0.5), (30.578, 15, 0.01), (18.307, 10, 0.05), (0, 15, 1),
            (5, 0, 1),
        ]
    )
    func chiSquare(value: Double, degrees: Int, chance: Double) {
        #expect(abs(PortMath.chiSquareTail(value, degrees: degrees) - chance) < 0.001)
    }

    @Test(
        "Numbers have so many places",
        arguments: [
            (0, 2, "0.00"), (1.005, 1, "1.0"), (1.05, 0, "1"), (-1.25, 1, "-1.3"), (-0.001, 2, "0.00"),
            (0.999, 2, "1.00"), (12.3456, 6, "12.345600"),
            (1e15, 2, "1000000000000000.0"), (999_999_999_999, 1, "999999999999.0"), (.infinity, 2, "inf"),
            (0.05, 3, "0.050"),
            (-5, 0, "-5"),
        ]
    )
    func decimal(value: Double, places: Int, text: String) {
        #expect(PortReasons.decimal(value, places: places) == text)
    }

    @Test(
        "Percentages",
        arguments: [
            (0, "0%"), (0.0004, "0.0%"), (0.0099, "1.0%"), (0.01, "1%"), (0.015, "2%"), (0.5, "50%"), (0.99, "99%"),
            (0.991, "99.1%"), (0.9999, "100.0%"), (1, "100%"),
        ]
    )
    func percent(share: Double, text: String) { #expect(PortReasons.percent(share) == text) }

    @Test("Nouns have an s unless there is one", arguments: [(0, "0 bins"), (1, "1 bin"), (2, "2 bins")])
    func nouns(count: Int, text: String) { #expect(PortReasons.count(count, "bin") == text) }
}
