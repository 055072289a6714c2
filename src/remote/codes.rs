//! The codes and types that servers give their errors, and the HTTP statuses that they mean. All are in lower
//! case, with `_` between words.

/// The status of an account that has no credit left.
pub(super) const NO_CREDIT: u16 = 402;

/// Codes and types, by the status that they mean.
const STATUSES: [(u16, &[&str]); 9] = [
    (
        NO_CREDIT,
        &[
            "insufficient_quota",
            "insufficient_balance",
            "insufficient_credits",
            "insufficient_funds",
            "billing_hard_limit_reached",
            "billing_not_active",
            "billing_error",
            "payment_required",
        ],
    ),
    (
        429,
        &[
            "rate_limit",
            "rate_limited",
            "rate_limit_error",
            "rate_limit_exceeded",
            "rate_limit_reached",
            "ratelimiterror",
            "ratelimit",
            "too_many_requests",
            "resource_exhausted",
            "throttled",
            "throttling",
            "throttling_exception",
            "throttlingexception",
            "requests_limit_exceeded",
            "quota_exceeded",
        ],
    ),
    (
        503,
        &[
            "overloaded",
            "overloaded_error",
            "engine_overloaded",
            "model_overloaded",
            "unavailable",
            "service_unavailable",
            "serviceunavailableerror",
            "service_unavailable_error",
            "server_busy",
            "server_overloaded",
            "capacity_exceeded",
            "modelnotreadyexception",
        ],
    ),
    (
        500,
        &[
            "server_error",
            "internal",
            "internal_error",
            "internal_server_error",
            "internalservererror",
            "api_error",
            "apierror",
            "upstream_error",
            "provider_error",
            "bad_gateway",
            "gateway_timeout",
            "timeout",
            "timeout_error",
            "timeouterror",
            "deadline_exceeded",
            "aborted",
            "unknown",
        ],
    ),
    (
        401,
        &[
            "authentication_error",
            "authenticationerror",
            "invalid_api_key",
            "unauthenticated",
            "unauthorized",
            "invalid_authentication_error",
        ],
    ),
    (
        403,
        &[
            "permission_error",
            "permission_denied",
            "permissiondeniederror",
            "forbidden",
            "access_denied",
        ],
    ),
    (
        404,
        &[
            "not_found",
            "not_found_error",
            "notfounderror",
            "model_not_found",
        ],
    ),
    (
        413,
        &[
            "request_too_large",
            "payload_too_large",
            "content_too_large",
        ],
    ),
    (
        400,
        &[
            "invalid_request_error",
            "invalid_request",
            "invalidrequesterror",
            "invalid_argument",
            "invalid_value",
            "invalid_parameter",
            "invalid_parameter_error",
            "bad_request",
            "badrequesterror",
            "bad_request_error",
            "context_length_exceeded",
            "contextwindowexceedederror",
            "exceed_context_size_error",
            "failed_precondition",
            "out_of_range",
            "unprocessable_entity",
            "unprocessable_entity_error",
            "unsupported_parameter",
            "unsupported_value",
            "validation_error",
            "validationexception",
        ],
    ),
];

/// Parts of other codes and types, by the status that they mean. They are looked for in this order.
const PARTS: [(u16, &[&str]); 3] = [
    (429, &["rate_limit", "ratelimit", "throttl", "too_many"]),
    (
        503,
        &[
            "overload",
            "unavailable",
            "timeout",
            "timed_out",
            "internal",
        ],
    ),
    (400, &["invalid", "unsupported", "too_long", "bad_request"]),
];

/// Codes and types of a content filter that rejects a request.
const FILTERS: [&str; 6] = [
    "content_policy_violation",
    "content_filter",
    "moderation_blocked",
    "responsible_ai_policy_violation",
    "data_inspection_failed",
    "prohibited_content",
];

/// The status that the first known word means. If no word is known, the first word with a known part counts.
pub(super) fn status(words: &[String]) -> Option<u16> {
    let exact = |word: &String| {
        let mut known = STATUSES.iter();
        known.find(|(_, known)| known.contains(&word.as_str()))
    };
    let like = |word: &String| {
        let mut known = PARTS.iter();
        known.find(|(_, parts)| parts.iter().any(|part| word.contains(part)))
    };
    let known = words.iter().find_map(exact);
    known
        .or_else(|| words.iter().find_map(like))
        .map(|(status, _)| *status)
}

/// Whether a word says that the account has no credit left.
pub(super) fn no_credit(words: &[String]) -> bool {
    let single = |word: &String| status(std::slice::from_ref(word)) == Some(NO_CREDIT);
    words.iter().any(single)
}

/// Whether a word is a code or type of a content filter.
pub(super) fn filtered(words: &[String]) -> bool {
    words.iter().any(|word| FILTERS.contains(&word.as_str()))
}
