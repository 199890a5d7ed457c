//! `POST /auth/token`: the one call that needs no token. Each is counted; the dial's faults leave
//! it alone, so that a fault meant for a create is not spent on a token.

use hyper::StatusCode;

use super::check::Wrong;
use super::gateway::Gateway;
use super::wire::{TokenAnswer, TokenRequest};
use crate::server::{Call, Reply};

impl Gateway {
    pub(super) async fn token(&self, mut call: Call) -> Result<Reply, Reply> {
        let body = self.read_json(&mut call).await?;
        let request: TokenRequest = serde_json::from_slice(&body)
            .map_err(|_| self.refuse(&Wrong::new("body", "must hold apiUser and apiKey")))?;
        let TokenRequest { api_user, api_key } = request;
        if (&api_user, &api_key) != (&self.config.api_user, &self.config.api_key) {
            return Err(self.unauthorized());
        }
        let token = self.tokens.issue(&api_user).map_err(|_| self.internal_error())?;
        let expires_in_seconds = self.tokens.expires_in_s();
        let answer = TokenAnswer { access_token: &token, expires_in_seconds };
        Ok(Reply::json(StatusCode::OK, &answer))
    }
}
