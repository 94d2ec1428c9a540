from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "deepcap.common"
    label = "common"
