public import WeirEngine

/// Changing the toxics of a route while it serves.
extension Supervisor {
    /// Returns the toxics of a route, with all attributes, in the order of its chain.
    ///
    /// - Parameter route: the route's place in the configuration, from 0.
    /// - Returns: the toxics of both directions.
    /// - Throws: `ToxicError.unknownRoute`.
    public func toxics(route: Int) throws(ToxicError) -> [ToxicConfiguration] {
        guard toxicSets.indices.contains(route) else { throw .unknownRoute(route) }
        return toxicSets[route].configurations
    }

    /// Applies a chain of toxics to a route, for its open flows and later ones; returns once all flows have it.
    ///
    /// The chain is compared with the previous one by the toxics' names. A toxic that is equal stays as it is on every
    /// flow. A toxic that has changed draws its toxicity again, and decides again about what it holds. A toxic that is
    /// removed hands on what it held; a removed `timeout` closes its flows.
    ///
    /// - Parameters:
    ///   - chain: the toxics of both directions; bytes pass those of their direction in this order.
    ///   - route: the route's place in the configuration, from 0.
    /// - Throws: `ToxicError` if something is wrong; then nothing changes.
    public func setToxics(_ chain: [ToxicConfiguration], route: Int) async throws(ToxicError) {
        try await updateToxics(route: route) { (toxics) throws(ToxicError) in toxics = chain }
    }

    /// Changes the chain of toxics of a route in one step, with no other change in between.
    ///
    /// - Parameters:
    ///   - route: the route's place in the configuration, from 0.
    ///   - change: changes the list of toxics; if it throws, so does this function, and nothing changes.
    /// - Returns: what `change` returns, once all flows have the new chain.
    /// - Throws: `ToxicError` if something is wrong; then nothing changes.
    public func updateToxics<Result: Sendable>(
        route: Int,
        _ change: (inout [ToxicConfiguration]) throws(ToxicError) -> Result
    ) async throws(ToxicError) -> Result {
        var chain = try toxics(route: route)
        guard let status = served.values.first(where: { $0.number == route }) else { throw .unknownRoute(route) }
        let result = try change(&chain)
        let set = try ToxicSet(
            chain,
            for: status.route.transport,
            replacing: toxicSets[route],
            after: shared.routeFlows[route]
        )
        toxicSets[route] = set
        served[status.name]?.toxics = set.configurations
        // Post to all loops before waiting for any, so that all get two changes in the same order.
        let answers = shared.loops.map { $0.post(set, route: route) }
        for answer in answers { for await _ in answer {} }
        return result
    }
}

extension LoopHandle {
    /// Sends a route's toxics to the loop; the returned stream ends once the loop has them, or has ended.
    fileprivate func post(_ set: ToxicSet, route: Int) -> AsyncStream<Void> {
        let (stream, end) = AsyncStream<Void>.makeStream()
        let isPosted = mailbox.post(.setToxics(set, route: route, whenDone: { end.finish() }))
        if !isPosted { end.finish() }
        return stream
    }
}
