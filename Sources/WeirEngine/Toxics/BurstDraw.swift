/// A random draw of events that occur at a rate, alone or in bursts: a Markov chain with two states.
///
/// With the correlation c, an event follows an event with the probability rate + c · (1 - rate), and anything else with
/// rate · (1 - c): the share of events is the rate, whatever c is, and their mean burst is 1 / ((1 - rate) · (1 - c)).
///
/// Source: Gilbert, "Capacity of a Burst-Noise Channel", Bell System Technical Journal 39, 1960.
struct BurstDraw: Sendable {
    let rate: Double
    let correlation: Double
    private var last: Bool?

    init(rate: Double, correlation: Double) {
        self.rate = rate
        self.correlation = correlation
    }

    /// Draws whether the next item is an event.
    mutating func next(_ random: inout SplitMix64) -> Bool {
        let probability =
            switch last {
            case nil: rate
            case true?: rate + correlation * (1 - rate)
            case false?: rate * (1 - correlation)
            }
        let result = random.draw(probability)
        last = result
        return result
    }
}
