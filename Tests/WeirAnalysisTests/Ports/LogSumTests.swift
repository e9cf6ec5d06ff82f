import Foundation
import Testing

@testable import WeirAnalysis

@Suite("Sum of logarithms")
struct LogSumTests {
    @Test(
        "It is the sum of the logarithms, of so many chances that their product is none",
        arguments: [1e-99, 0.37, 1, 1e99]
    )
    func sum(_ chance: Double) {
        var sum = LogSum()
        for count in 1...5000 {
            sum.add(chance)
            #expect(abs(sum.value - Double(count) * log(chance)) <= 1e-9 * Double(count))
        }
    }
}
