public import WeirFlow
import WeirWire

/// How the toxics of a route are changed while it serves.
extension Supervisor {
    /// Lists the toxics of a route, all attributes filled in, in the order of its chain.
    ///
    /// - Parameter route: the route's place in the configuration, from 0.
    /// - Returns: the toxics of both directions.
    /// - Throws: `ToxicError.unknownRoute`.
    public func toxics(route: Int) throws(ToxicError) -> [ToxicConfiguration] {
        guard toxicSets.indices.contains(route) else { throw .unknownRoute(route) }
        return toxicSets[route].configurations
    }

    /// Puts a chain of toxics on a route, for the flows that it has and those that come; returns once all have it.
    ///
    /// The chain is compared with the one before by the toxics' names. What is equal stays as it is on every flow. What has
    /// changed draws its toxicity again, and is asked again about what it holds. What has gone hands on what it held; a
    /// `timeout` that goes closes its flows.
    ///
    /// - Parameters:
    ///   - chain: the toxics of both directions; bytes pass those of their direction in this order.
    ///   - route: the route's place in the configuration, from 0.
    /// - Throws: `ToxicError` where something is wrong; nothing has changed then.
    public func setToxics(_ chain: [ToxicConfiguration], route: Int) async throws(ToxicError) {
        try await updateToxics(route: route) { (toxics) throws(ToxicError) in toxics = chain }
    }

    /// Changes the chain of toxics of a route as one step: no other change comes between.
    ///
    /// - Parameters:
    ///   - route: the route's place in the configuration, from 0.
    ///   - change: changes the list of toxics; what it throws is thrown, and nothing has changed then.
    /// - Returns: what `change` returns, once all flows have the new chain.
    /// - Throws: `ToxicError` where something is wrong; nothing has changed then.
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
        // All loops are told before anything is waited for: they hear of two changes in the same order.
        let answers = shared.loops.map { $0.post(set, route: route) }
        for answer in answers { for await _ in answer {} }
        return result
    }
}

extension LoopHandle {
    /// Tells the loop of a route's toxics; the stream that is returned ends once it has them, or has ended.
    fileprivate func post(_ set: ToxicSet, route: Int) -> AsyncStream<Void> {
        let (stream, end) = AsyncStream<Void>.makeStream()
        let isPosted = mailbox.post(.setToxics(set, route: route, whenDone: { end.finish() }))
        if !isPosted { end.finish() }
        return stream
    }
}
