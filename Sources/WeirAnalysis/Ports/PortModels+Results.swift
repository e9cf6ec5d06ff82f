import WeirEngine

/// The likelihoods of the classes, from the sums of a series.
extension PortModels {
    func results() -> Likelihoods {
        let fresh = -PortMath.ln(size)
        // If the bounds are estimated, so is the parity of the first port: both were possible.
        let either = isBounded ? 0 : -PortMath.ln(2)
        return [
            .uniformRandom: sums.uniform.value,
            .oddBind: sums.bound.value + either,
            .lowerHalfBind: sums.lowerHalf.value + either,
            .linuxConnect: PortMath.logSum([sums.connect.value] + sums.oneCounter.map { $0.value - PortMath.ln(10) })
                + either,
            .linuxLocalRange: sums.localRange.value,
            .sequential: Self.counter(sums.merged, back: sums.mergedBack, fresh) + fresh + strays,
            .sequentialPerDestination: Self.counter(sums.within, back: sums.withinBack, fresh)
                + Double(sums.firsts) * fresh + strays,
            .sequentialRandomStart: randomStarts(fresh) + fresh + strays,
            .mixed: mixture + strays,
        ]
    }

    /// The log-likelihood of the choices outside the range.
    private var strays: Double { Double(sums.outside) * PortMath.ln(Stray.range * size / 64_512) }

    /// Returns the log-likelihood of the steps of a counter that others may share: geometric, with any mean.
    private static func counter(_ counts: [Int], back: Int, _ fresh: Double) -> Double {
        // The fewer steps are missing, the likelier is a counter that nothing else uses.
        let shares = [(0.97, 0.6), (0.7, 0.2), (0.45, 0.198), (0.25, 0.001), (0.12, 0.001)]
        let variants = shares.map { share, prior in
            var sum = PortMath.ln(prior) + Double(counts[0]) * (PortMath.ln(Stray.count) + fresh)
            sum += Double(back) * PortMath.ln(Stray.count / 16)
            let (first, further) = (PortMath.ln((1 - 2 * Stray.count) * share), PortMath.ln(1 - share))
            for (step, count) in counts.enumerated() where step > 0 && count > 0 {
                sum += Double(count) * (first + Double(step - 1) * further)
            }
            return sum
        }
        return PortMath.logSum(variants)
    }

    /// Returns the log-likelihood of runs of a counter that begin at random ports.
    private func randomStarts(_ fresh: Double) -> Double {
        var variants: [Double] = []
        for goesOn in [0.35, 0.5, 0.7] {
            for share in [0.97, 0.6] {
                var sum = Double(sums.merged[0] + sums.mergedBack) * (PortMath.ln(1 - goesOn) + fresh)
                for (step, count) in sums.merged.enumerated() where step > 0 && count > 0 {
                    let counted = goesOn * share * PortMath.e(Double(step - 1) * PortMath.ln(1 - share))
                    sum += Double(count) * PortMath.ln(counted + (1 - goesOn) / size)
                }
                variants.append(sum)
            }
        }
        return PortMath.logSum(variants) - PortMath.ln(Double(variants.count))
    }

    /// The log-likelihood of any allocator: any share of even ports, any share of small steps after one of the last
    /// four.
    private var mixture: Double {
        let bound = Double(PortMeasuring.smallBound(range.size))
        let count = series.count
        return PortMath.logBeta(sums.even, count - sums.even)
            + PortMath.logBeta(sums.flagged, sums.following - sums.flagged)
            - Double(sums.flagged) * PortMath.ln(2 * bound)
            - Double(count - sums.flagged) * PortMath.ln(size / 2)
    }
}
